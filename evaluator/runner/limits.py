"""How fast requests may go: paced a minute, so many at once, and all of them held when a provider says so.

Pacing is the generic cell rate algorithm (ITU-T I.371) in its form of a reservation clock: each request
takes the next moment that is free. A bucket would let a whole minute's requests go at once and be refused.

    >>> pace = Pace(per_minute=594)
    >>> [round(pace.reserve(now=0.0), 2) for _ in range(3)]
    [0.0, 0.1, 0.2]

How many requests are in flight adapts as a DCTCP window does (RFC 8257, section 3.3): a round in which many
of the answers were refusals shrinks it by half their share, any other lets it grow a little. So all refused
halve it, and the odd overload of one server among many does not matter.
"""

from __future__ import annotations

import asyncio
import time

# A provider's clock and the network are not ours: stay this much below what it admits.
MARGIN = 0.01
# A timer that fires late may be made up for by this much.
LATE_SECONDS = 0.1
# The share of refusals that any provider has on a good day.
NOISE = 0.1
# The part of itself that a window grows by in a round with few refusals, at least by one.
GROWTH = 1 / 40


class Pace:
    """A reservation clock: at most `per_minute` of something in any minute."""

    def __init__(self, per_minute: float) -> None:
        self._seconds_each = 60 / per_minute * (1 + MARGIN)
        self._next = float("-inf")

    def reserve(self, now: float, amount: float = 1.0) -> float:
        """Seconds to wait before this amount may go."""
        start = max(self._next, now - LATE_SECONDS if self._next > float("-inf") else now)
        self._next = start + amount * self._seconds_each
        return max(0.0, start - now)

    def correct(self, amount: float) -> None:
        """So much more (or less, below zero) was taken than was reserved."""
        self._next += amount * self._seconds_each


class Window:
    """How many requests may be in flight: from 1 to `most`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = float(most)
        self._answers = self._refusals = 0

    @property
    def size(self) -> int:
        return int(self._size)

    def answered(self, refused: bool) -> None:
        """Count an answer; a round is over when there are as many as the window is wide."""
        self._answers += 1
        self._refusals += refused
        if self._answers >= self._size:
            share = self._refusals / self._answers
            self._size += -self._size * share / 2 if share > NOISE else max(1.0, self._size * GROWTH)
            self._size = min(max(self._size, 1.0), float(self._most))
            self._answers = self._refusals = 0


class Limits:
    """What every request passes, first come first served, within one event loop."""

    def __init__(
        self, in_flight: int, per_minute: float | None = None, tokens_per_minute: float | None = None
    ) -> None:
        self._window = Window(in_flight)
        self._requests = Pace(per_minute) if per_minute else None
        self._tokens = Pace(tokens_per_minute) if tokens_per_minute else None
        self._in_flight = 0
        self._held_until = float("-inf")
        self._turn = asyncio.Lock()
        self._left = asyncio.Event()

    async def enter(self, tokens: float) -> None:
        """Wait until a request of about so many tokens may be sent; `leave` must follow."""
        async with self._turn:
            while self._in_flight >= self._window.size:
                self._left.clear()
                await self._left.wait()
            await self._wait_while_held()
            now = time.monotonic()
            wait = max(
                self._requests.reserve(now) if self._requests else 0.0,
                self._tokens.reserve(now, tokens) if self._tokens else 0.0,
            )
            if wait:
                await asyncio.sleep(wait)
                await self._wait_while_held()
            self._in_flight += 1

    def leave(self, refused: bool, tokens: float = 0.0) -> None:
        """The request was answered or failed; it took so many tokens more than was thought."""
        self._in_flight -= 1
        self._window.answered(refused)
        if self._tokens:
            self._tokens.correct(tokens)
        self._left.set()

    def hold(self, seconds: float) -> None:
        """Nobody sends anything for this long from now."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)

    async def _wait_while_held(self) -> None:
        while (seconds := self._held_until - time.monotonic()) > 0:
            await asyncio.sleep(seconds)
