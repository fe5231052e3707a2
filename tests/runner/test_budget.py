"""What is set aside and spent never exceeds the budget, and no cent of it is given up early."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.runner.budget import Budget, BudgetUsedUp


@given(
    budget_usd=st.floats(0, 10),
    spent_usd=st.floats(0, 5),
    most_usd=st.floats(0.01, 1),
    seed=st.integers(0, 1000),
)
def test_never_exceeded_and_used_as_far_as_it_goes(
    budget_usd: float, spent_usd: float, most_usd: float, seed: int
) -> None:
    choose = random.Random(seed)

    async def main() -> tuple[float, int]:
        budget, spent, refused = Budget(budget_usd, spent_usd), spent_usd, 0

        async def call() -> None:
            nonlocal spent, refused
            try:
                await budget.reserve(most_usd)
            except BudgetUsedUp:
                refused += 1
                return
            for _ in range(choose.randint(0, 3)):
                await asyncio.sleep(0)
            cost_usd = choose.uniform(0, most_usd)
            spent += cost_usd
            assert spent <= max(budget_usd, spent_usd) + 1e-9
            budget.settle(most_usd, cost_usd)

        async with asyncio.timeout(10):
            await asyncio.gather(*(call() for _ in range(60)))
        return spent, refused

    spent, refused = asyncio.run(main())
    if refused:
        assert spent + most_usd > budget_usd - 1e-9, "another call would have fitted"


async def fits(budget: Budget, usd: float) -> bool:
    try:
        await budget.reserve(usd)
    except BudgetUsedUp:
        return False
    budget.settle(usd, spent_usd=usd)
    return True


def test_without_a_limit() -> None:
    async def main() -> bool:
        budget = Budget(None, 1e9)
        return all([await fits(budget, 1e9) for _ in range(3)])

    assert asyncio.run(main())


def test_a_waiting_request_starts_when_an_answer_was_cheaper() -> None:
    async def main() -> tuple[bool, bool]:
        budget = Budget(1.0)
        await budget.reserve(0.9)
        second = asyncio.create_task(fits(budget, 0.9))
        await asyncio.sleep(0)
        assert not second.done()
        budget.settle(0.9, spent_usd=0.05)
        return await second, await fits(budget, 0.9)

    assert asyncio.run(main()) == (True, False)


def test_a_request_that_fails_returns_its_money() -> None:
    async def main() -> bool:
        budget = Budget(1.0)
        await budget.reserve(0.9)
        budget.settle(0.9, spent_usd=0.0)
        return await fits(budget, 0.9)

    assert asyncio.run(main())


@pytest.mark.parametrize("budget_usd", [0.0, 0.5])
def test_what_an_earlier_command_spent_counts(budget_usd: float) -> None:
    async def main() -> bool:
        return await fits(Budget(budget_usd, spent_usd=0.45), 0.1)

    assert not asyncio.run(main())
