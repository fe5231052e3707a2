"""Intervals against scipy's bootstrap and against what is known in advance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluator.core import AGGREGATES, Measurement
from evaluator.significance import bootstrap_scores, draw_counts, intervals, percentile_interval


def mean_of(values: np.ndarray) -> Measurement:
    return Measurement("mean", np.column_stack([values, np.ones_like(values)]), "mean", "mean")


def test_the_same_interval_as_scipys_bootstrap() -> None:
    values = np.random.default_rng(1).gamma(2.0, size=400)
    (ours,) = intervals([mean_of(values)], resamples=20_000, seed=3)
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(4)
    ).confidence_interval
    # Two Monte Carlo estimates: their ends differ by about 1 % of the interval's width.
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.04 * (theirs.high - theirs.low))


def test_a_corpus_score_is_resampled_as_a_corpus_score() -> None:
    """BLEU of the summed counts, not the mean of sentence scores: scoring each resample anew agrees."""
    generator = np.random.default_rng(0)
    totals = generator.integers(4, 12, (30, 1)) - np.arange(4)
    rows = np.hstack(
        [np.minimum(totals, generator.integers(0, 9, (30, 4))), totals, totals[:, :1], totals[:, :1] + 1]
    )
    measurement = Measurement("BLEU-4", rows.astype(float), "bleu-4", "BLEU")
    (scores,) = bootstrap_scores([measurement], resamples=50, seed=9)
    counts = np.vstack(list(draw_counts(30, 50, seed=9))).astype(int)
    from_scratch = [
        float(AGGREGATES["bleu-4"](np.repeat(measurement.statistics, times, axis=0).sum(axis=0)))
        for times in counts
    ]
    assert scores == pytest.approx(from_scratch, abs=1e-12)


def test_reproducible_to_the_digit_in_any_block_size(monkeypatch: pytest.MonkeyPatch) -> None:
    measurement = mean_of(np.random.default_rng(0).random(100))
    whole = intervals([measurement], seed=5)
    assert intervals([measurement], seed=5) == whole
    assert intervals([measurement], seed=6) != whole
    monkeypatch.setattr("evaluator.significance.BLOCK_CELLS", 700)
    assert intervals([measurement], seed=5) == whole


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 50), st.integers(1, 40))
def test_every_resample_draws_as_many_images_as_there_are(images: int, resamples: int) -> None:
    counts = np.vstack(list(draw_counts(images, resamples, seed=0)))
    assert counts.shape == (resamples, images)
    assert (counts.sum(axis=1) == images).all()


def test_images_that_could_not_be_scored_leave_the_interval_alone() -> None:
    rows = np.zeros((6, 2))
    rows[:3] = [[0.2, 1.0], [0.4, 1.0], [0.6, 1.0]]
    (interval,) = intervals([Measurement("CLIPScore", rows, "mean", "")], resamples=500)
    assert 0.2 <= interval.low < 0.4 < interval.high <= 0.6


def test_edges() -> None:
    assert intervals([]) == []
    (one,) = intervals([mean_of(np.array([0.5]))])
    assert one == (0.5, 0.5)
    with pytest.raises(ValueError, match="different numbers of images"):
        intervals([mean_of(np.ones(2)), mean_of(np.ones(3))])
    assert percentile_interval(np.arange(101.0), 0.9) == pytest.approx((5.0, 95.0))
