"""How fast requests may be sent: the rate per minute, the number in flight, holds, and waits after failures.

Pacing is the generic cell rate algorithm (ITU-T I.371) as a reservation clock: each request takes the next
free moment. A token bucket would send a whole minute's requests at once, and providers refuse that.

The number of requests in flight (the window) adapts in rounds. If more than 10 % of a round is refused, the
window shrinks to the number admitted, or halves if none was. After a quiet round it grows by 10 % on trial.
If the extra requests are refused, it shrinks back and waits twice as many rounds before the next trial. So
the window stays at what a server admits and rarely exceeds it. Occasional refusals by one overloaded server
among many do not shrink it, because a smaller window would meet them as often.
"""

from __future__ import annotations

import asyncio
from random import Random

from evaluator.core import Reply

MARGIN = 0.01  # stay this much below a rate, since a provider's clock and network differ from ours
LATE_SECONDS = 0.1  # a request whose timer fires late by up to this much does not delay those after it
NORMAL_REFUSAL_SHARE = 0.1  # a share of refusals that is normal for any provider
TRIAL_REFUSAL_SHARE = 0.25  # a trial fails if more than this share of the extra requests is refused
GROWTH = 0.1  # how much the window grows on trial, relative to its size; at least by one request
FEWEST_ANSWERS = 20  # the answers of a round, at least: in a smaller one, a refusal would weigh too much
ROUND_SHARE = 0.9  # a round ends with this share of its answers, because the slowest would delay it
LONGEST_PATIENCE = 32  # the most rounds between two trials
FIRST_TOKEN_ESTIMATE = 1000.0  # the tokens of a request, for captioners that do not give bounds
ESTIMATE_WEIGHT = 0.1  # how much a new answer changes the estimate of tokens per request
FIRST_WAIT_SECONDS = 1.0  # the longest wait after the first attempt; it doubles with each attempt
LONGEST_WAIT_SECONDS = 60.0  # the longest wait after any attempt


def backoff_seconds(attempt: int, random: Random) -> float:
    """How long to wait after attempt number `attempt` (the first is 1) has failed.

    Exponential backoff with full jitter (AWS Architecture Blog, 2015): the wait is uniform between zero and a
    bound that doubles, so that requests that failed together are not repeated together.
    """
    bound = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(attempt - 1, 60))
    return random.uniform(0.0, bound)


class Pace:
    """A reservation clock: at most `per_minute` units in any minute; None means no limit."""

    def __init__(self, per_minute: float | None) -> None:
        self._seconds_each = 60 / per_minute * (1 + MARGIN) if per_minute else 0.0
        self._next = float("-inf")

    def reserve(self, now: float, amount: float = 1.0) -> float:
        """Seconds to wait before this amount may be sent."""
        start = max(self._next, now - LATE_SECONDS if self._next > float("-inf") else now)
        self._next = start + amount * self._seconds_each
        return max(0.0, start - now)

    def correct(self, amount: float) -> None:
        """Report that `amount` more than reserved was used; a negative amount was reserved and not used."""
        self._next += amount * self._seconds_each


class Window:
    """How many requests may be in flight: from 1 to `most`."""

    def __init__(self, most: int) -> None:
        self.size, self._most = most, most
        # During a trial: the size before it, and the share of refusals at that size.
        self._before: tuple[int, float] | None = None
        self._patience = self._calm = 1
        self._round = 0
        self._begin_round()

    def _begin_round(self) -> None:
        self._round += 1
        self._wanted = max(self.size, FEWEST_ANSWERS)
        self._sent = self._answers = self._refusals = 0

    def sent(self) -> int:
        """Count a request and return its round, 0 if it belongs to none."""
        self._sent += 1
        return self._round if self._sent <= self._wanted else 0

    def answered(self, refused: bool, round_sent: int) -> None:
        """Count the answer to a request; answers to requests of earlier rounds do not count."""
        if round_sent != self._round:
            return
        self._answers += 1
        self._refusals += refused
        # Refusals arrive before other answers. After a refusal, the missing answers may be refusals, too.
        if self._answers >= self._wanted * (1 if refused else ROUND_SHARE):
            self._end_round(self._refusals / self._wanted)
            self._begin_round()

    def _end_round(self, share: float) -> None:
        """Shrink back, shrink, grow or stay, depending on the share of refusals."""
        before, self._before = self._before, None
        if before and (share > NORMAL_REFUSAL_SHARE or self._trial_failed(share, *before)):
            self.size, self._calm = before[0], 0
            self._patience = min(2 * self._patience, LONGEST_PATIENCE)
        elif share > NORMAL_REFUSAL_SHARE:
            self.size = max(1, round(self.size * (1 - share if share < 1 else 0.5)))
            self._patience, self._calm = 1, 0
        else:
            self._patience = 1 if before else self._patience
            self._calm += 1
            if self._calm >= self._patience and self.size < self._most:
                self._before = self.size, share
                self.size = min(self.size + max(1, int(self.size * GROWTH)), self._most)

    def _trial_failed(self, share: float, size_before: int, share_before: float) -> bool:
        """Whether too many of the extra requests were refused."""
        more = self.size - size_before
        return share * self.size - share_before * size_before > TRIAL_REFUSAL_SHARE * more


class Limits:
    """What every request passes, in the order of arrival, within one event loop.

    `tokens_each` estimates the tokens per request: an upper bound at first, then an average of answers. Until
    `open_up` is called, no more than `at_first` requests are in flight.
    """

    def __init__(
        self,
        in_flight: int,
        per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        at_first: int | None = None,
    ) -> None:
        self._window = Window(in_flight)
        self._at_first = at_first
        self._requests, self._tokens = Pace(per_minute), Pace(tokens_per_minute)
        self._is_paced = bool(per_minute or tokens_per_minute)
        self.tokens_each = FIRST_TOKEN_ESTIMATE
        self._in_flight = 0
        self._held_until = float("-inf")
        self._turn = asyncio.Lock()
        self._left = asyncio.Event()

    async def enter(self) -> tuple[int, float]:
        """Wait until a request may be sent. Returns its round and its estimated tokens for `leave`.

        Without pacing there is no queue: any worker may take a free slot.
        """
        tokens, held = self.tokens_each, self._held_until > now()
        if self._is_paced or held or self._is_full:
            async with self._turn:
                while self._is_full:
                    self._left.clear()
                    await self._left.wait()
                await self._wait_while_held()
                at = now()
                if wait := max(self._requests.reserve(at), self._tokens.reserve(at, tokens)):
                    await asyncio.sleep(wait)
                    await self._wait_while_held()
        self._in_flight += 1
        return self._window.sent(), tokens

    def leave(self, entered: tuple[int, float], refused: bool, reply: Reply | None = None) -> None:
        """The request was answered or failed; a reply says how many tokens it took."""
        round_sent, estimated = entered
        self._in_flight -= 1
        self._window.answered(refused, round_sent)
        if reply and reply.input_tokens is not None:
            used = reply.input_tokens + (reply.output_tokens or 0)
            self._tokens.correct(used - estimated)
            self.tokens_each += ESTIMATE_WEIGHT * (used - self.tokens_each)
        self._left.set()

    def hold(self, seconds: float) -> None:
        """Let all requests wait for this long from now."""
        self._held_until = max(self._held_until, now() + seconds)

    def open_up(self) -> None:
        """Let as many requests be in flight as the window admits."""
        self._at_first = None
        self._left.set()

    @property
    def _is_full(self) -> bool:
        most = self._window.size if self._at_first is None else min(self._window.size, self._at_first)
        return self._in_flight >= most

    async def _wait_while_held(self) -> None:
        while (seconds := self._held_until - now()) > 0:
            await asyncio.sleep(seconds)


def now() -> float:
    """The event loop's own time, which stands still while the process is suspended."""
    return asyncio.get_running_loop().time()
