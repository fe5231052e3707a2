"""Never faster than admitted, and hardly slower; fewer at once where requests are refused."""

from __future__ import annotations

import asyncio
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.runner.limits import LATE_SECONDS, MARGIN, Limits, Pace, Window


@given(
    per_minute=st.floats(1, 10_000),
    gaps=st.lists(st.floats(0, 5), min_size=1, max_size=60),
    amounts=st.lists(st.floats(0.1, 10), min_size=60, max_size=60),
)
def test_in_no_span_goes_more_than_its_share(
    per_minute: float, gaps: list[float], amounts: list[float]
) -> None:
    """Whenever requests come: what is let go from any start on fits the rate, the last one aside."""
    pace, now = Pace(per_minute), 0.0
    let_go = []
    for gap, amount in zip(gaps, amounts, strict=False):
        now += gap
        let_go.append((now + pace.reserve(now, amount), amount))
    for start in range(len(let_go)):
        for end in range(start, len(let_go)):
            seconds = let_go[end][0] - let_go[start][0]
            amount = sum(amount for _, amount in let_go[start:end])
            assert amount <= (seconds + LATE_SECONDS + 1e-6) * per_minute / 60


def test_waiting_requests_go_at_the_rate_to_the_margin() -> None:
    """Each comes when the one before was let go, some of them late: over an hour nothing is lost by that."""
    pace, now = Pace(600), 0.0
    for number in range(36_000):
        now += pace.reserve(now)
        now += 0.004 * (number % 3)  # timers are late
    assert 3600 * (1 + MARGIN) - 1 <= now <= 3600 * (1 + MARGIN) + 1


def test_what_was_taken_beyond_the_reservation_is_waited_for() -> None:
    pace = Pace(60)
    assert pace.reserve(0.0, 10) == 0
    pace.correct(5)
    assert pace.reserve(0.0) == pytest.approx(15 * (1 + MARGIN))


def answer(window: Window, rounds: int, refused_of_ten: int) -> None:
    for _ in range(rounds):
        for number in range(window.size):
            window.answered(refused=number % 10 < refused_of_ten)


def test_all_refused_halves_the_window_down_to_one() -> None:
    window = Window(64)
    sizes = []
    for _ in range(8):
        answer(window, 1, refused_of_ten=10)
        sizes.append(window.size)
    assert sizes == [32, 16, 8, 4, 2, 1, 1, 1]


def test_the_window_grows_slowly_to_what_it_was_and_no_further() -> None:
    window = Window(64)
    answer(window, 10, refused_of_ten=10)
    answer(window, 10, refused_of_ten=0)
    assert window.size == 11
    answer(window, 200, refused_of_ten=0)
    assert window.size == 64


def test_a_refusal_now_and_then_does_not_matter() -> None:
    window = Window(200)
    for number in range(20_000):
        window.answered(refused=number % 20 == 0)
    assert window.size == 200


def test_no_more_at_once_than_allowed_and_nobody_forgotten() -> None:
    async def main() -> int:
        limits, now, most = Limits(in_flight=7), 0, 0

        async def one() -> None:
            nonlocal now, most
            await limits.enter(1.0)
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1
            limits.leave(refused=False)

        await asyncio.gather(*(one() for _ in range(100)))
        return most

    assert asyncio.run(main()) == 7


def test_a_hold_is_everybodys() -> None:
    async def main() -> float:
        limits, start = Limits(in_flight=10), time.monotonic()
        limits.hold(0.2)
        limits.hold(0.1)  # a shorter one takes nothing back
        await asyncio.gather(*(limits.enter(1.0) for _ in range(10)))
        return time.monotonic() - start

    assert asyncio.run(main()) >= 0.2


def test_one_that_gives_up_waiting_holds_up_nobody() -> None:
    async def main() -> None:
        limits = Limits(in_flight=1)
        await limits.enter(1.0)
        waiting = [asyncio.create_task(limits.enter(1.0)) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        limits.leave(refused=False)
        async with asyncio.timeout(5):
            await waiting[1]

    asyncio.run(main())
