"""Intervals that cover a judge's own spread: two stages of chance, images and draws."""

from __future__ import annotations

import numpy as np
import pytest

from evaluator.comparison.bootstrap import intervals
from evaluator.core import Measurement, Signature
from evaluator.scorers.judge.judge import rows

DRAWS = 3


def measurement(scores: np.ndarray) -> Measurement:
    return Measurement("judge", rows(scores.tolist(), DRAWS), "mean-of-draws", Signature("judge"))


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.2])
def test_95_of_100_intervals_hold_the_true_score(spread: float) -> None:
    """Images differ by 0.1 around 0.5, the draws of an image by `spread`: the interval is not too narrow."""
    generator = np.random.default_rng(7)
    repeats, held = 300, 0
    for _ in range(repeats):
        images = 0.5 + 0.1 * generator.standard_normal(60)
        scores = images[:, None] + spread * generator.standard_normal((60, DRAWS))
        ((low, high),) = intervals([measurement(scores)], resamples=200)
        held += low <= 0.5 <= high
    # Three standard errors of 300 repeats, and 1 % for percentiles of 200 resamples, below 0.95.
    assert held / repeats >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / repeats) - 0.01


def test_the_spread_of_the_draws_is_added_to_that_of_the_images() -> None:
    """By hand: 40 images alike, three draws each with variance s^2: the standard error is s / sqrt(120)."""
    scores = np.tile([0.3, 0.5, 0.7], (40, 1))
    ((low, high),) = intervals([measurement(scores)], resamples=4000)
    assert high - low == pytest.approx(2 * 1.96 * 0.2 / np.sqrt(120), rel=0.06)


def test_rows_by_hand() -> None:
    """Means, and the variance of each mean; an image with one draw has the usual variance of a draw."""
    found = rows([[0.2, 0.4], [0.5], []], 2)
    assert found.tolist() == [
        [pytest.approx(0.3), 1.0, pytest.approx(0.01)],
        [0.5, 1.0, pytest.approx(0.02)],
        [0, 0, 0],
    ]
    assert rows([[0.2], []], 1).tolist() == [[0.2, 1.0], [0.0, 0.0]]
