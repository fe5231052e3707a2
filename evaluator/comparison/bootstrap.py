"""How certain a score is: bootstrap intervals from the sufficient statistics. Numpy in, numbers out.

A resample draws N images with replacement. Its score needs no rescoring: it is the aggregate of the rows
summed with the number of times each image was drawn, so one counts matrix (resamples, N) serves every
metric of every system, BLEU and METEOR at corpus level included (Koehn 2004, Statistical Significance Tests
for Machine Translation Evaluation, section 3). Percentile and bias-corrected accelerated (BCa) intervals are
those of Efron and Tibshirani 1993, An Introduction to the Bootstrap, chapters 13 and 14.

CIDEr's document frequencies stay those of the whole set: the interval is that of the score as defined.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Literal, NamedTuple

import numpy as np

from evaluator.core import AGGREGATES, Array, Measurement, Score
from evaluator.core.aggregates import MEAN_OF_DRAWS, SHARE
from evaluator.core.aggregates.mean import COUNT, SUM, VARIANCE

# Of a matrix with a row per resample and a column per image: 32 MB of float64 at a time.
BLOCK_CELLS = 4_000_000

Method = Literal["percentile", "bca"]
NORMAL = NormalDist()


class Interval(NamedTuple):
    """The two ends of a confidence interval, on the score's own scale."""

    low: float
    high: float


def block_sizes(rows: int, images: int) -> Iterator[int]:
    """How many of the rows (rows, images) of a matrix are in memory at a time."""
    block = max(1, BLOCK_CELLS // max(1, images))
    for start in range(0, rows, block):
        yield min(block, rows - start)


def draw_counts(images: int, resamples: int, seed: int | Sequence[int]) -> Iterator[Array]:
    """How often each image is drawn, in blocks of (some resamples, images); the same for the same seed."""
    generator = np.random.default_rng(seed)
    for rows in block_sizes(resamples, images):
        drawn = generator.integers(images, size=(rows, images)) + images * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=rows * images).reshape(rows, images).astype(np.float64)


class WeightedScores:
    """The score of each measurement under rows of weights (rows, images): (rows,) each.

    Metrics that share their statistics, as BLEU-1 to BLEU-4 do, share the one product.
    """

    def __init__(self, measurements: Sequence[Measurement]) -> None:
        self._measurements = measurements
        distinct = {id(measurement.statistics): measurement.statistics for measurement in measurements}
        self._statistics = np.hstack(list(distinct.values()))
        ends = np.cumsum([rows.shape[1] for rows in distinct.values()])
        self._columns = dict(zip(distinct, map(slice, [0, *ends[:-1]], ends), strict=True))

    def __call__(self, weights: Array) -> list[Array]:
        sums = weights @ self._statistics
        return [
            AGGREGATES[measurement.aggregate](sums[:, self._columns[id(measurement.statistics)]])
            for measurement in self._measurements
        ]


def bootstrap_scores(measurements: Sequence[Measurement], resamples: int, seed: int) -> list[Array]:
    """Each measurement's score in every resample, (resamples,) each, all from the same resamples.

    The measurements must be over the same images, row by row.
    """
    if not measurements:
        return []
    images = number_of_images(measurements)
    generator = np.random.default_rng([seed, 3])  # other numbers than those that draw images
    blocks = []
    weighted_scores = WeightedScores(measurements)
    for counts in draw_counts(images, resamples, seed):
        scores = weighted_scores(counts)
        blocks.append(
            [
                each + spread_of_draws(measurement, counts) * generator.standard_normal(len(counts))
                if measurement.aggregate == MEAN_OF_DRAWS
                else each
                for measurement, each in zip(measurements, scores, strict=True)
            ]
        )
    return [np.concatenate(scores) for scores in zip(*blocks, strict=True)]


def spread_of_draws(measurement: Measurement, counts: Array) -> Array:
    """The standard error that drawing each image's answers anew adds to its resamples, (resamples,).

    The second stage of a bootstrap in two stages (Davison and Hinkley 1997, section 3.8): the images are
    drawn, and then the draws of each. The differences between images hold a part of that spread already, so
    the interval is never too narrow, and somewhat too wide where the draws differ as much as the images.
    """
    sums = counts @ measurement.statistics
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.sqrt(np.maximum(sums[:, VARIANCE], 0.0)) / sums[:, COUNT])


def number_of_images(measurements: Sequence[Measurement]) -> int:
    """Raises ValueError for measurements over different numbers of images."""
    images = {len(measurement.statistics) for measurement in measurements}
    if len(images) > 1:
        raise ValueError(f"measurements over different numbers of images cannot share resamples: {images}")
    return images.pop() if images else 0


def percentile_interval(scores: Array, confidence: float) -> Interval:
    """The middle `confidence` share of the resampled scores, resamples without a score left out."""
    tail = (1 - confidence) / 2
    return _between(scores, tail, 1 - tail)


def bca_interval(scores: Array, value: float, left_out: Array, confidence: float) -> Interval:
    """BCa: percentiles moved for the bias and the skewness of the score.

    `value` is the score of all images, `left_out` (N,) that of all images but one. Where all resamples agree,
    or the skewness is not defined, these are the percentiles.
    """
    known = scores[~np.isnan(scores)]
    below = (np.count_nonzero(known < value) + np.count_nonzero(known <= value)) / (2 * len(known))
    deviations = np.nanmean(left_out) - left_out[~np.isnan(left_out)]
    spread = float((deviations**2).sum()) ** 1.5
    if not 0.0 < below < 1.0 or spread == 0.0:
        return percentile_interval(scores, confidence)
    bias, acceleration = NORMAL.inv_cdf(below), float((deviations**3).sum()) / (6 * spread)

    def moved(tail: float) -> float:
        from_bias = bias + NORMAL.inv_cdf(tail)
        return NORMAL.cdf(bias + from_bias / (1 - acceleration * from_bias))

    tail = (1 - confidence) / 2
    return _between(scores, moved(tail), moved(1 - tail))


def share_interval(measurement: Measurement, confidence: float) -> Interval:
    """The interval of a share such as 8 of 10, the same for the same counts.

    Resamples of images that are all of one kind are all equal: they would say that three of three is certain.
    """
    totals = measurement.statistics.sum(axis=0)
    return wilson_interval(totals[SUM] / totals[COUNT], totals[COUNT], confidence)


def wilson_interval(share: float, count: float, confidence: float) -> Interval:
    """Wilson's score interval (1927) of a share of `count` cases, which need not be a whole number.

    >>> low, high = wilson_interval(0.75, 4, 0.95)
    >>> round(low, 3), round(high, 3)
    (0.301, 0.954)
    """
    z = NORMAL.inv_cdf((1 + confidence) / 2)
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2) / (1 + z**2 / count)
    return Interval(max(0.0, float(middle - half)), min(1.0, float(middle + half)))


def leave_one_out(measurement: Measurement) -> Array:
    """The score of all images but one, (N,)."""
    rows = measurement.statistics
    return AGGREGATES[measurement.aggregate](rows.sum(axis=0) - rows)


def intervals(
    measurements: Sequence[Measurement],
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    method: Method = "percentile",
) -> list[Interval]:
    """A bootstrap interval for each measurement's score, all from the same resamples; a share has its own."""
    resampled = bootstrap_scores(measurements, resamples, seed)

    def interval(measurement: Measurement, scores: Array) -> Interval:
        if measurement.aggregate == SHARE:
            return share_interval(measurement, confidence)
        if method == "percentile":
            return percentile_interval(scores, confidence)
        return bca_interval(scores, measurement.value, leave_one_out(measurement), confidence)

    return list(map(interval, measurements, resampled))


def score_of(measurement: Measurement, interval: Interval) -> Score:
    """A measurement as a table shows it."""
    return Score(
        name=measurement.name,
        value=measurement.value,
        low=interval.low,
        high=interval.high,
        signature=measurement.signature,
        higher_is_better=measurement.higher_is_better,
        images=int(measurement.scored.sum()),
        cut_off=measurement.cut_off,
    )


def _between(scores: Array, low: float, high: float) -> Interval:
    ends = np.nanquantile(scores, [low, high])
    return Interval(float(ends[0]), float(ends[1]))
