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
        budget, spent, refused = Budget(budget_usd, most_usd, spent_usd), spent_usd, 0

        async def call() -> None:
            nonlocal spent, refused
            try:
                await budget.reserve()
            except BudgetUsedUp:
                refused += 1
                return
            for _ in range(choose.randint(0, 3)):
                await asyncio.sleep(0)
            cost_usd = choose.uniform(0, most_usd)
            spent += cost_usd
            assert spent <= max(budget_usd, spent_usd) + 1e-9
            budget.settle(cost_usd)

        async with asyncio.timeout(10):
            await asyncio.gather(*(call() for _ in range(60)))
        return spent, refused

    spent, refused = asyncio.run(main())
    if refused:
        assert spent + most_usd > budget_usd - 1e-9, "another call would have fitted"


async def fits(budget: Budget) -> bool:
    """Whether one more request fits, which then costs the most expected."""
    try:
        await budget.reserve()
    except BudgetUsedUp:
        return False
    budget.settle(budget.most_usd)
    return True


def test_without_a_limit() -> None:
    async def main() -> bool:
        budget = Budget(None, 1e9, 1e9)
        return all([await fits(budget) for _ in range(3)])

    assert asyncio.run(main())


def test_a_waiting_request_starts_when_an_answer_was_cheaper() -> None:
    async def main() -> tuple[bool, bool]:
        budget = Budget(1.0, 0.9)
        await budget.reserve()
        second = asyncio.create_task(fits(budget))
        await asyncio.sleep(0)
        assert not second.done()
        budget.settle(0.05)
        return await second, await fits(budget)

    assert asyncio.run(main()) == (True, False)


def test_a_request_that_fails_returns_its_money() -> None:
    async def main() -> bool:
        budget = Budget(1.0, 0.9)
        await budget.reserve()
        budget.settle(0.0)
        return await fits(budget)

    assert asyncio.run(main())


@pytest.mark.parametrize("budget_usd", [0.0, 0.5])
def test_what_an_earlier_command_spent_counts(budget_usd: float) -> None:
    async def main() -> bool:
        return await fits(Budget(budget_usd, 0.1, spent_usd=0.45))

    assert not asyncio.run(main())


def test_a_dearer_answer_raises_what_is_set_aside_for_all(caplog: pytest.LogCaptureFixture) -> None:
    """Of $1, three requests at $0.10 each are open. One costs $0.30: the other two may, too."""

    async def main() -> tuple[float, bool]:
        budget = Budget(1.0, 0.1)
        for _ in range(3):
            await budget.reserve()
        budget.settle(0.3)
        waiting = asyncio.create_task(fits(budget))
        await asyncio.sleep(0)
        assert not waiting.done(), "0.3 spent and 2 x 0.3 set aside leave no room for another 0.3"
        budget.settle(0.1)
        budget.settle(0.1)
        return budget.most_usd, await waiting

    assert asyncio.run(main()) == (0.3, True)
    assert caplog.text.count("an answer cost $0.300000, and at most $0.100000 was expected") == 1
