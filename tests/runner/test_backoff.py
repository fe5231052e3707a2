"""Waits that grow, spread out, and are the same for the same seed."""

from __future__ import annotations

import statistics
from random import Random

from evaluator.runner.limits import backoff_seconds


def waits(seed: int, attempt: int, number: int = 2000) -> list[float]:
    random = Random(seed)
    return [backoff_seconds(attempt, random) for _ in range(number)]


def test_full_jitter_is_uniform_below_a_bound_that_doubles() -> None:
    for attempt, bound in ((1, 1), (2, 2), (4, 8), (7, 60), (1000, 60)):
        found = waits(0, attempt)
        assert 0 <= min(found) < 0.01 * bound
        assert 0.99 * bound < max(found) <= bound
        assert abs(statistics.mean(found) - bound / 2) < 0.03 * bound


def test_a_seed_decides() -> None:
    assert waits(1, 3) == waits(1, 3)
    assert waits(1, 3) != waits(2, 3)
