"""Measurements: one row of sufficient statistics per image, and the aggregate that turns rows into a score.

A corpus score is the aggregate of the summed rows, a per-image score is the aggregate of one row, and a
bootstrap resample is the aggregate of a weighted sum:

    >>> lengths = Measurement("words", np.array([[9.0, 1.0], [12.0, 1.0]]), "mean", signature="words")
    >>> float(lengths.value), lengths.per_image.tolist()
    (10.5, [9.0, 12.0])
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def mean(rows: Array) -> Array:
    """Rows (..., 2) of (sum, count) -> (...): their mean, NaN where nothing was counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rows[..., 0] / rows[..., 1])


def bleu(rows: Array, order: int) -> Array:
    """Rows (..., 10) of 4 matches, 4 totals, length, closest reference length -> (...): BLEU of `order`.

    The two small constants are those of coco-caption's bleu_scorer.py, which keep a product with no
    match from being exactly zero and make the sentence scores comparable with its own.
    """
    tiny, small = 1e-15, 1e-9
    precisions = (rows[..., :order] + tiny) / (rows[..., 4 : 4 + order] + small)
    ratio = (rows[..., 8] + tiny) / (rows[..., 9] + small)
    brevity = np.exp(np.minimum(0.0, 1.0 - 1.0 / ratio))
    score = np.prod(precisions, axis=-1) ** (1.0 / order) * brevity
    return np.where(rows[..., 8:].any(axis=-1), score, np.nan)


# METEOR 1.5's parameters for English (Denkowski and Lavie 2014, https://aclanthology.org/W14-3348): how much
# more recall counts than precision; how steeply the penalty of chunks grows, and up to what; what a content
# word weighs, and a function word the rest; what a match weighs, exact, by stem, by synonym, by paraphrase.
METEOR_ALPHA, METEOR_BETA, METEOR_GAMMA, METEOR_DELTA = 0.85, 0.20, 0.60, 0.75
METEOR_WEIGHTS = (1.0, 0.6, 0.8, 0.6)


def meteor(rows: Array) -> Array:
    """Rows (..., 23) of METEOR 1.5's own statistics -> (...): its score, from 0 to 1.

    For caption and reference each: words 0:2, function words 2:4; for each kind of match the content words
    and the function words that it covers, 4:20; chunks 20, none where both texts are one chunk; words that
    are covered, 21:23.
    """
    length, function_words, chunks, covered = rows[..., :2], rows[..., 2:4], rows[..., 20], rows[..., 21:]
    weighted_length = METEOR_DELTA * (length - function_words) + (1.0 - METEOR_DELTA) * function_words
    # One addition after the other, as the program does it: two references may tie but for the last digit.
    matches = np.zeros_like(weighted_length)
    for first, share in ((4, METEOR_DELTA), (6, 1.0 - METEOR_DELTA)):
        for kind, weight in enumerate(METEOR_WEIGHTS):
            matches = matches + rows[..., first + 4 * kind : first + 4 * kind + 2] * weight * share
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = np.moveaxis(matches / weighted_length, -1, 0)
        mean_of_both = 1.0 / ((1.0 - METEOR_ALPHA) / precision + METEOR_ALPHA / recall)
        fragmentation = chunks / (covered.sum(axis=-1) / 2.0)
        score = mean_of_both * (1.0 - METEOR_GAMMA * fragmentation**METEOR_BETA)
    return np.where(rows.any(axis=-1), np.maximum(np.nan_to_num(score), 0.0), np.nan)


# Stored by name, so that a run folder can be compared without the scorer that made it.
AGGREGATES: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"mean": mean, "meteor": meteor} | {f"bleu-{order}": partial(bleu, order=order) for order in range(1, 5)}
)


@dataclass(frozen=True, eq=False)
class Measurement:
    """One metric over N captioned images: statistics (N, K) and the name of their aggregate.

    A row of zeros is an image that could not be scored: NaN for itself, absent from the sum.
    """

    name: str
    statistics: Array = field(repr=False)
    aggregate: str
    signature: str
    higher_is_better: bool = True

    @property
    def value(self) -> float:
        """The corpus score, on the reference program's scale."""
        return float(AGGREGATES[self.aggregate](self.statistics.sum(axis=0)))

    @property
    def per_image(self) -> Array:
        """The score of each image alone, (N,)."""
        return AGGREGATES[self.aggregate](self.statistics)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Which images could be scored, (N,)."""
        return np.asarray(self.statistics.any(axis=-1))
