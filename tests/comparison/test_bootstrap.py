"""Intervals against scipy's bootstrap and against what is known in advance."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from evaluator.comparison.bootstrap import (
    bca_interval,
    bootstrap_scores,
    draw_counts,
    intervals,
    leave_one_out,
    percentile_interval,
)
from evaluator.core import AGGREGATES, Item, Measurement
from evaluator.scorers.bleu import BLEU
from evaluator.scorers.cider import CIDEr
from evaluator.scorers.rouge import ROUGE


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


def test_the_same_bca_interval_as_scipys() -> None:
    values = np.random.default_rng(1).lognormal(sigma=1.5, size=80)  # skewed: BCa is far from the percentiles
    measurement = mean_of(values)
    (percentiles,) = intervals([measurement], resamples=20_000, seed=3)
    (ours,) = intervals([measurement], resamples=20_000, seed=3, method="bca")
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(4)
    ).confidence_interval
    width = theirs.high - theirs.low
    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.05 * width)
    assert ours.high - percentiles.high > 0.1 * width


def test_bca_without_spread_is_the_percentiles() -> None:
    scores = np.linspace(0.0, 1.0, 101)
    assert bca_interval(scores, 0.5, np.full(9, 0.5), 0.9) == percentile_interval(scores, 0.9)
    assert bca_interval(np.full(9, 0.5), 0.5, np.arange(9.0), 0.9) == (0.5, 0.5)
    assert bca_interval(scores, 2.0, np.arange(9.0), 0.9) == percentile_interval(scores, 0.9)


@pytest.mark.parametrize(("found", "count"), [(0, 4), (3, 3), (8, 10), (455, 1000)])
def test_a_share_has_the_same_interval_as_scipys(found: int, count: int) -> None:
    """Wilson's, also where everything is of one kind; images that were not counted change nothing."""
    rows = np.array([(1, 1)] * found + [(0, 1)] * (count - found) + [(0, 0)] * 7, np.float64)
    (ours,) = intervals([Measurement("share", rows, "share", "share")], confidence=0.9)
    theirs = stats.binomtest(found, count).proportion_ci(0.9, method="wilson")
    assert ours == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_leaving_one_out_is_scoring_the_others() -> None:
    measurement = mean_of(np.array([1.0, 2.0, 6.0]))
    assert leave_one_out(measurement).tolist() == [4.0, 3.5, 1.5]


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_hold_the_populations_score_as_often_as_they_say(real_data: Path, method: Any) -> None:
    """95 % of 1,000 samples of 500 images, with the document frequencies of the whole population."""
    texts: dict[int, list[str]] = {}
    for row in json.loads((real_data / "coco" / "captions_karpathy_test.json").read_bytes())["annotations"]:
        texts.setdefault(row["image_id"], []).append(row["caption"])
    rows = json.loads((real_data / "systems" / "blip_vit_l_beam.json").read_bytes())
    items = [Item(str(row["image_id"]), None, tuple(texts[row["image_id"]])) for row in rows]
    captions = [row["caption"] for row in rows]
    scored = [scorer.score(items, captions) for scorer in (BLEU(), ROUGE(), CIDEr())]
    population = {measured.name: measured for some in scored for measured in some}
    chosen = [population[name] for name in ("BLEU-4", "ROUGE-L", "CIDEr")]
    generator = np.random.default_rng(2026)
    samples = 1000 if method == "percentile" else 300
    hits = np.zeros(3)
    for seed in range(samples):
        drawn = generator.integers(len(rows), size=500)
        found = intervals(
            [replace(measured, statistics=measured.statistics[drawn]) for measured in chosen],
            resamples=600,
            seed=seed,
            method=method,
        )
        hits += [
            interval.low <= measured.value <= interval.high
            for interval, measured in zip(found, chosen, strict=True)
        ]
    allowed = 0.02 if method == "percentile" else 0.035  # fewer samples tell it less exactly
    assert hits / samples == pytest.approx(0.95, abs=allowed)


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
    monkeypatch.setattr("evaluator.comparison.bootstrap.BLOCK_CELLS", 700)
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
