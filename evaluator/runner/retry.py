"""When a request that failed is tried again: exponential backoff with full jitter, from an explicit seed.

"Exponential Backoff And Jitter", AWS Architecture Blog, 2015: each wait is uniform between zero and a bound
that doubles, so that requests that failed together do not come back together.

    >>> waits = Backoff(seed=0, first_seconds=1.0, most_seconds=60.0)
    >>> all(0 <= waits.seconds(attempt) <= min(60, 2 ** (attempt - 1)) for attempt in range(1, 20))
    True
"""

from __future__ import annotations

import random


class Backoff:
    """The waits of one run."""

    def __init__(self, seed: int, first_seconds: float, most_seconds: float) -> None:
        self._random = random.Random(seed)
        self._first_seconds = first_seconds
        self._most_seconds = most_seconds

    def seconds(self, attempt: int) -> float:
        """How long to wait after attempt number `attempt`, from 1."""
        bound = min(self._most_seconds, self._first_seconds * 2.0 ** min(attempt - 1, 60))
        return self._random.uniform(0.0, bound)
