"""What is set aside and spent never exceeds the budget, and no cent of it is given up early."""

from __future__ import annotations

import asyncio
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.runner.budget import Budget


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
            if not await budget.reserve(most_usd):
                refused += 1
                return
            for _ in range(choose.randint(0, 3)):
                await asyncio.sleep(0)
            cost = choose.uniform(0, most_usd)
            spent += cost
            assert spent <= max(budget_usd, spent_usd) + 1e-9
            budget.settle(most_usd, cost)

        async with asyncio.timeout(10):
            await asyncio.gather(*(call() for _ in range(60)))
        return spent, refused

    spent, refused = asyncio.run(main())
    if refused:
        assert spent + most_usd > budget_usd - 1e-9, "another call would have fitted"


def test_without_end() -> None:
    async def main() -> bool:
        budget = Budget(None, 1e9)
        return all([await budget.reserve(1e9) for _ in range(3)])

    assert asyncio.run(main())


def test_one_that_waits_goes_on_when_an_answer_was_cheaper() -> None:
    async def main() -> tuple[bool, bool, bool]:
        budget = Budget(1.0)
        first = await budget.reserve(0.9)
        second = asyncio.create_task(budget.reserve(0.9))
        await asyncio.sleep(0)
        assert not second.done()
        budget.settle(0.9, 0.05)
        assert await second
        budget.settle(0.9, 0.5)
        return first, second.result(), await budget.reserve(0.9)

    assert asyncio.run(main()) == (True, True, False)


@pytest.mark.parametrize("budget_usd", [0.0, 0.5])
def test_what_an_earlier_command_spent_counts(budget_usd: float) -> None:
    async def main() -> bool:
        return await Budget(budget_usd, spent_usd=0.45).reserve(0.1)

    assert not asyncio.run(main())
