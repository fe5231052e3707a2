"""Scores of several captions per image: their mean, their spread, and the best of them.

The statistics of an image are the mean of those of its captions. So a mean score is the mean over all
captions of all images, and a corpus score such as BLEU counts every caption alike. Resampling the images
keeps each image's captions together, so that the interval holds the spread between captions as well (a
cluster bootstrap; Davison and Hinkley 1997, Bootstrap Methods and their Application, section 3.8).

The spread between images and between the captions of one image are variance components of a one-way random
effects model (Searle, Casella and McCulloch 1992, Variance Components, section 3.6, with unequal numbers of
captions by their harmonic mean).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evaluator.core import AGGREGATES, Array, DrawSpread, Item, Measurement, NotComputed, Scorer
from evaluator.core.aggregates import MEAN_OF_DRAWS
from evaluator.core.aggregates.mean import VARIANCE
from evaluator.scorers.measure import measure
from evaluator.scorers.progress import Begin, in_silence


def measure_draws(
    scorers: Mapping[str, Scorer],
    items: Sequence[Item],
    captions: Sequence[str],
    further: Sequence[Mapping[str, str]],
    begin: Begin = in_silence,
) -> tuple[list[Measurement], list[DrawSpread], list[NotComputed]]:
    """What the scorers measure over all captions of each image, how that differs, and what they cannot.

    `captions` are the first captions; `further` and `begin` are those of `over_draws` and of `measure`.
    """
    first, not_computed = measure(scorers, items, captions, begin)
    return *over_draws(scorers, items, captions, first, further), not_computed


def over_draws(
    scorers: Mapping[str, Scorer],
    items: Sequence[Item],
    captions: Sequence[str],
    first: Sequence[Measurement],
    further: Sequence[Mapping[str, str]],
) -> tuple[list[Measurement], list[DrawSpread]]:
    """The mean over all captions of each measurement of the first ones, `captions`, and its spread.

    `further` has the second captions by the ids of their images, the third captions, and so on. A metric that
    cannot be computed of them is that of the first captions.
    """
    by_draw = [{one.name: one.statistics for one in first}]
    for of_draw in further:
        # All images are scored, since scores such as CIDEr depend on which these are. An image without a
        # further caption has its first one, and its row is left out afterwards.
        drawn = [of_draw.get(item.id, caption) for item, caption in zip(items, captions, strict=True)]
        measured, _ = measure(scorers, items, drawn)
        has_one = np.array([[item.id in of_draw] for item in items])
        by_draw.append({one.name: one.statistics * has_one for one in measured})
    means, spreads = [], []
    for measurement in first:
        known = [rows[measurement.name] for rows in by_draw if measurement.name in rows]
        if len(known) > 1:
            statistics = np.stack(known)
            spreads.append(spread(measurement, statistics))
            measurement = replace(measurement, statistics=mean_of(statistics, measurement.aggregate))
        means.append(measurement)
    return means, spreads


def mean_of(statistics: Array, aggregate: str) -> Array:
    """The statistics (draws, images, K) as one row per image (images, K); rows of zeros do not count."""
    numbers = np.maximum(statistics.any(axis=-1).sum(axis=0), 1)[:, np.newaxis]
    means: Array = statistics.sum(axis=0) / numbers
    if aggregate == MEAN_OF_DRAWS:  # a judge was asked several times about each caption
        means[:, VARIANCE] /= numbers[:, 0]
    return means


def spread(measurement: Measurement, statistics: Array) -> DrawSpread:
    """How the scores of the statistics (draws, images, K) differ within and between images."""
    score, sign = AGGREGATES[measurement.aggregate], 1 if measurement.higher_is_better else -1
    known = statistics.any(axis=-1)
    scores = np.where(known, score(statistics), np.nan)
    scored = known.any(axis=0)
    best = np.nanargmax(np.where(known, sign * scores, -np.inf), axis=0)
    chosen = statistics[best, np.arange(len(best))]
    singles = [float(score(rows.sum(axis=0))) for rows in statistics]
    within, between = variances(scores[:, scored])
    return DrawSpread(
        name=measurement.name,
        captions_per_image=int(known.sum(axis=0).max()),
        first=singles[0],
        lowest=min(singles),
        highest=max(singles),
        best=float(score(chosen.sum(axis=0))),
        between_draws=float(np.sqrt(within)),
        between_images=float(np.sqrt(between)),
    )


def variances(scores: Array) -> tuple[float, float]:
    """The variance within images and that between them, of scores (draws, images) with NaN for none.

    >>> variances(np.array([[0.0, 4.0], [2.0, 6.0]]))
    (2.0, 7.0)
    """
    numbers = (~np.isnan(scores)).sum(axis=0)
    several = numbers > 1
    if not several.any() or scores.shape[1] < 2:
        return 0.0, 0.0
    within = float(np.nanvar(scores[:, several], axis=0, ddof=1).mean())
    of_means = float(np.nanmean(scores, axis=0).var(ddof=1))
    return within, max(0.0, of_means - within * float((1 / numbers).mean()))
