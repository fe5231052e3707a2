"""A clock that stands still while the process is suspended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import pytest

from evaluator.runner.awake_loop import GRACE_SECONDS, AwakeLoop


class Clock:
    """The machine's clock, which a test moves by hand."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.real = time.monotonic

    def __call__(self) -> float:
        return self.real() + self.ahead


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    chosen = Clock()
    monkeypatch.setattr(time, "monotonic", chosen)
    return chosen


@pytest.fixture
def loop(clock: Clock) -> Iterator[AwakeLoop]:
    found = AwakeLoop()
    yield found
    found.close()


def test_it_runs_like_any_other_clock(loop: AwakeLoop, clock: Clock) -> None:
    begun = loop.time()
    for _ in range(10):
        clock.ahead += 2.0
        loop.time()
    assert loop.time() - begun == pytest.approx(20.0, abs=0.5)


def test_a_suspension_does_not_count_and_what_arrived_is_read_first(loop: AwakeLoop, clock: Clock) -> None:
    begun = loop.time()
    clock.ahead += 3600.0
    assert loop.time() - begun < 0.5
    clock.ahead += GRACE_SECONDS - 1.0
    assert loop.time() - begun < 0.5
    clock.ahead += 2.0
    assert loop.time() - begun == pytest.approx(1.0, abs=0.5)


def test_a_deadline_that_passed_meanwhile_has_not_passed(loop: AwakeLoop, clock: Clock) -> None:
    async def wait() -> str:
        answer: asyncio.Future[str] = loop.create_future()

        def wake_up() -> None:  # the process was stopped for an hour, and then the answer is read
            clock.ahead += 3600.0
            loop.call_later(0.0, loop.call_soon, answer.set_result, "here")

        loop.call_soon(wake_up)
        async with asyncio.timeout(120.0):
            return await answer

    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        assert runner.run(wait()) == "here"
