"""How long to wait before a failed request is sent again: exponential backoff with full jitter.

"Exponential Backoff And Jitter", AWS Architecture Blog, 2015: each wait is uniform between zero and a bound
that doubles, so that requests that failed together are not repeated together.

    >>> random = Random(0)
    >>> all(0 <= backoff_seconds(attempt, random) <= min(60, 2 ** (attempt - 1)) for attempt in range(1, 20))
    True
"""

from __future__ import annotations

from random import Random

# The longest wait after the first attempt; it doubles with each attempt, up to the second number.
FIRST_WAIT_SECONDS = 1.0
LONGEST_WAIT_SECONDS = 60.0


def backoff_seconds(attempt: int, random: Random) -> float:
    """How long to wait after attempt number `attempt`; the first is 1."""
    bound = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2.0 ** min(attempt - 1, 60))
    return random.uniform(0.0, bound)
