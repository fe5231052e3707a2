"""How certain a score is: bootstrap intervals from the sufficient statistics. Numpy in, numbers out.

A resample draws N images with replacement. Its score needs no rescoring: it is the aggregate of the rows
summed with the number of times each image was drawn, so one counts matrix (resamples, N) serves every
metric, BLEU at corpus level included (Koehn 2004, Statistical Significance Tests for Machine Translation
Evaluation, section 3; Efron and Tibshirani 1993, chapter 13, for the percentile interval).

CIDEr's document frequencies stay those of the whole set: the interval is that of the score as defined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from evaluator.core import AGGREGATES, Array, Measurement

# Rows of the counts matrix times images: 32 MB of float64 at a time.
BLOCK_CELLS = 4_000_000


class Interval(NamedTuple):
    """The two ends of a confidence interval, on the score's own scale."""

    low: float
    high: float


def draw_counts(images: int, resamples: int, seed: int) -> Iterator[Array]:
    """How often each image is drawn, in blocks of (some resamples, images); the same for the same seed."""
    generator = np.random.default_rng(seed)
    block = max(1, BLOCK_CELLS // max(1, images))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        drawn = generator.integers(images, size=(rows, images)) + images * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * images).reshape(rows, images).astype(np.float64)


def bootstrap_scores(measurements: Sequence[Measurement], resamples: int, seed: int) -> list[Array]:
    """Each measurement's score in every resample, (resamples,) each, all from the same resamples.

    The measurements must be over the same images, row by row.
    """
    images = {len(measurement.statistics) for measurement in measurements}
    if len(images) > 1:
        raise ValueError(f"measurements over different numbers of images cannot share resamples: {images}")
    blocks: list[list[Array]] = [[] for _ in measurements]
    for counts in draw_counts(images.pop() if images else 0, resamples, seed):
        for scores, measurement in zip(blocks, measurements, strict=True):
            scores.append(AGGREGATES[measurement.aggregate](counts @ measurement.statistics))
    return [np.concatenate(scores) for scores in blocks]


def percentile_interval(scores: Array, confidence: float) -> Interval:
    """The middle `confidence` share of the resampled scores, resamples without a score left out."""
    tail = 50 * (1 - confidence)
    low, high = np.nanpercentile(scores, [tail, 100 - tail])
    return Interval(float(low), float(high))


def intervals(
    measurements: Sequence[Measurement], resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> list[Interval]:
    """A percentile bootstrap interval for each measurement's score."""
    return [
        percentile_interval(scores, confidence) for scores in bootstrap_scores(measurements, resamples, seed)
    ]
