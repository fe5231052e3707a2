"""Never faster than admitted, and hardly slower; fewer at once where requests are refused."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.runner.limits import FEWEST_ANSWERS, LATE_SECONDS, MARGIN, Limits, Pace, Window


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


def rounds(window: Window, number: int, refused_of_ten: int) -> list[int]:
    """The sizes after so many rounds, each answered whole before the next is sent, the refusals first."""
    sizes = []
    for _ in range(number):
        sent = [window.sent() for _ in range(max(window.size, FEWEST_ANSWERS))]
        for place, round_sent in enumerate(sent):
            window.answered(refused=10 * place < refused_of_ten * len(sent), round_sent=round_sent)
        sizes.append(window.size)
    return sizes


def test_all_refused_halves_the_window_down_to_one() -> None:
    assert rounds(Window(64), 8, refused_of_ten=10) == [32, 16, 8, 4, 2, 1, 1, 1]


def test_a_window_shrinks_to_what_was_admitted() -> None:
    assert rounds(Window(200), 1, refused_of_ten=9) == [20]


def test_the_window_grows_slowly_to_what_it_was_and_no_further() -> None:
    window = Window(64)
    rounds(window, 10, refused_of_ten=10)
    assert rounds(window, 10, refused_of_ten=0)[-1] == 11
    assert rounds(window, 50, refused_of_ten=0)[-1] == 64


def test_a_trial_that_fails_is_taken_back_and_waits_longer_each_time() -> None:
    """A server that admits ten at once, asked round by round."""
    window, grown = Window(20), []
    for number in range(200):
        sent = [window.sent() for _ in range(FEWEST_ANSWERS)]
        if window.size == 11:
            grown.append(number)
        for place, round_sent in enumerate(sent):
            window.answered(refused=place % window.size >= 10, round_sent=round_sent)
    assert [later - before for before, later in itertools.pairwise(grown)] == [3, 5, 9, 17, 33, 33, 33, 33]


def test_answers_to_what_was_sent_before_a_change_say_nothing_of_it() -> None:
    window = Window(40)
    early = [window.sent() for _ in range(60)]
    for round_sent in early[:40]:
        window.answered(refused=True, round_sent=round_sent)
    assert window.size == 20
    for round_sent in early[40:]:
        window.answered(refused=True, round_sent=round_sent)
    assert window.size == 20


@dataclass(frozen=True)
class Found:
    """What came of a run against the server of `simulated`."""

    seconds: float
    size: int
    refused_share: float
    refused_share_at_last: float  # of the second half


def simulated(
    admits: int, in_flight: int, images: int, overloaded_share: float = 0.0, seed: int = 0
) -> Found:
    """A clock of its own, and a server that answers in about a second and refuses at once what is too much.

    As in a run, each refusal holds everybody for up to a second.
    """
    window, random = Window(in_flight), Random(seed)
    answers: list[tuple[float, int, bool, int]] = []
    now = held_until = 0.0
    asked = done = 0
    refusals: list[bool] = []
    while done < images:
        while now >= held_until and len(answers) < min(window.size, images - done):
            busy = sum(not refused for _, _, refused, _ in answers)
            refused = busy >= admits or random.random() < overloaded_share
            seconds = 0.02 if refused else random.uniform(0.8, 1.2)
            asked += 1
            heapq.heappush(answers, (now + seconds, asked, refused, window.sent()))
        if not answers:
            now = held_until
            continue
        now, _, refused, round_sent = heapq.heappop(answers)
        window.answered(refused, round_sent)
        refusals.append(refused)
        done += not refused
        if refused:
            held_until = max(held_until, now + random.uniform(0.0, 1.0))
    later = refusals[len(refusals) // 2 :]
    return Found(now, window.size, sum(refusals) / len(refusals), sum(later) / len(later))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("admits", "in_flight"), [(3, 50), (10, 50), (10, 200), (37, 50), (150, 200)])
def test_the_window_finds_what_a_server_admits(admits: int, in_flight: int, seed: int) -> None:
    images = 1000 + 100 * admits
    found = simulated(admits, in_flight, images, seed=seed)
    assert admits * 0.85 <= found.size <= admits * 1.1 + 1
    assert found.seconds < 1.15 * images / admits
    assert found.refused_share_at_last < 0.03
    # Beside those that show at the beginning that it is too wide.
    assert found.refused_share < 0.04 + 1.5 * in_flight / images


@pytest.mark.parametrize("seed", range(3))
def test_a_refusal_now_and_then_does_not_matter(seed: int) -> None:
    assert simulated(admits=10**6, in_flight=200, images=20_000, overloaded_share=0.05, seed=seed).size == 200


@pytest.mark.parametrize("seed", range(3))
def test_an_open_server_is_asked_for_all_that_is_allowed(seed: int) -> None:
    found = simulated(admits=200, in_flight=200, images=10_000, seed=seed)
    assert (found.size, found.refused_share) == (200, 0.0)


def test_no_more_at_once_than_allowed_and_nobody_forgotten() -> None:
    async def main() -> int:
        limits, now, most = Limits(in_flight=7), 0, 0

        async def one() -> None:
            nonlocal now, most
            entered = await limits.enter()
            now += 1
            most = max(most, now)
            await asyncio.sleep(0.001)
            now -= 1
            limits.leave(entered, refused=False)

        await asyncio.gather(*(one() for _ in range(100)))
        return most

    assert asyncio.run(main()) == 7


def test_a_hold_is_everybodys() -> None:
    async def main() -> float:
        limits, start = Limits(in_flight=10), time.monotonic()
        limits.hold(0.2)
        limits.hold(0.1)  # a shorter one takes nothing back
        await asyncio.gather(*(limits.enter() for _ in range(10)))
        return time.monotonic() - start

    assert asyncio.run(main()) >= 0.2


def test_one_that_gives_up_waiting_holds_up_nobody() -> None:
    async def main() -> None:
        limits = Limits(in_flight=1)
        entered = await limits.enter()
        waiting = [asyncio.create_task(limits.enter()) for _ in range(2)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        await asyncio.sleep(0)
        limits.leave(entered, refused=False)
        async with asyncio.timeout(5):
            await waiting[1]

    asyncio.run(main())
