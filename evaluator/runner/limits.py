"""How fast requests may go: paced a minute, so many at once, and all of them held when a provider says so.

Pacing is the generic cell rate algorithm (ITU-T I.371) in its form of a reservation clock: each request
takes the next moment that is free. A bucket would let a whole minute's requests go at once and be refused.

    >>> pace = Pace(per_minute=594)
    >>> [round(pace.reserve(now=0.0), 2) for _ in range(3)]
    [0.0, 0.1, 0.2]

How many requests are in flight adapts, round by round. One in which many were refused shrinks the window to
what was admitted, by half where nothing was. After a calm one it grows a little, on trial: where some of what
it grew by is refused it goes back, and waits twice as long before it tries again. So it stays at what a
server admits and seldom asks for more; and the odd overload of one server among many, which a smaller window
would meet as often, does not shrink it.
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
# Of what a window grew by, the share that may be refused.
IN_VAIN = 0.25
# The part of itself that a window grows by, at least by one.
GROWTH = 0.1
# The answers of a round, at least: of fewer, one refusal would be many.
FEWEST_ANSWERS = 20
# The part of a round that is waited for: the slowest answers would hold it up.
ENOUGH = 0.9
# The rounds between two trials, at most.
LONGEST_PATIENCE = 32


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
        self.size, self._most = most, most
        # While a size is on trial: the one to go back to, and its share of refusals.
        self._before: tuple[int, float] | None = None
        self._patience = self._calm = 1
        self._round = 0
        self._begin_round()

    def _begin_round(self) -> None:
        self._round += 1
        self._wanted = max(self.size, FEWEST_ANSWERS)
        self._sent = self._answers = self._refusals = 0

    def sent(self) -> int:
        """Count a request; the round that it belongs to, 0 for none."""
        self._sent += 1
        return self._round if self._sent <= self._wanted else 0

    def answered(self, refused: bool, sent_in: int) -> None:
        """Count the answer to a request that was sent in this round."""
        if sent_in != self._round:
            return
        self._answers += 1
        self._refusals += refused
        # Refusals come first: after nothing but them, those that are still awaited may be refused as well.
        if self._answers >= self._wanted * (1 if refused else ENOUGH):
            self._end_round(self._refusals / self._wanted)
            self._begin_round()

    def _end_round(self, share: float) -> None:
        """Go back, shrink, grow or stay, by the share of refusals."""
        if self._before and (share > NOISE or self._in_vain(share, *self._before)):
            self.size, self._before = self._before[0], None
            self._patience, self._calm = min(2 * self._patience, LONGEST_PATIENCE), 0
            return
        if share > NOISE:
            self.size = max(1, round(self.size * (1 - share if share < 1 else 0.5)))
            self._patience, self._calm = 1, 0
            return
        if self._before:
            self._before, self._patience = None, 1
        self._calm += 1
        if self._calm >= self._patience and self.size < self._most:
            self._before = self.size, share
            self.size = min(self.size + max(1, int(self.size * GROWTH)), self._most)

    def _in_vain(self, share: float, size_before: int, share_before: float) -> bool:
        """Whether of what the window grew by too much was refused."""
        more = self.size - size_before
        return share * self.size - share_before * size_before > IN_VAIN * more


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

    async def enter(self, tokens: float) -> int:
        """Wait until a request of about so many tokens may be sent; `leave` must follow with its round.

        Where nothing is paced, whoever finds a place free takes it, the one who has just left it too.
        """
        if self._is_open():
            self._in_flight += 1
            return self._window.sent()
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
            return self._window.sent()

    def _is_open(self) -> bool:
        unpaced = self._requests is None and self._tokens is None
        held = self._held_until > time.monotonic()
        return unpaced and not held and self._in_flight < self._window.size

    def leave(self, sent_in: int, refused: bool, tokens: float = 0.0) -> None:
        """The request was answered or failed; it took so many tokens more than was thought."""
        self._in_flight -= 1
        self._window.answered(refused, sent_in)
        if self._tokens:
            self._tokens.correct(tokens)
        self._left.set()

    def hold(self, seconds: float) -> None:
        """Nobody sends anything for this long from now."""
        self._held_until = max(self._held_until, time.monotonic() + seconds)

    async def _wait_while_held(self) -> None:
        while (seconds := self._held_until - time.monotonic()) > 0:
            await asyncio.sleep(seconds)
