"""The lead metric on the images of each tag, with intervals: where a system is strong, and where weak."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluator.comparison.bootstrap import intervals, score_of
from evaluator.comparison.comparison import Comparison
from evaluator.core import Score

# The most frequent ones; with fewer images an interval says nothing.
MOST_TAGS = 20
FEWEST_IMAGES = 5


@dataclass(frozen=True)
class TagScores:
    """One tag: how many images have it, and each run's score over them."""

    tag: str
    images: int
    scores: tuple[Score | None, ...]  # in the order of the comparison's rows
    best: float | None = None  # the best oriented score, where several runs have comparable ones


def breakdown(comparison: Comparison) -> list[TagScores]:
    """The tags of the images that all runs captioned, the most frequent first; empty where there are none."""
    metric = comparison.lead_metric
    ids = comparison.pairs.ids
    tags_of: dict[str, tuple[str, ...]] = {}
    for item in (item for row in comparison.rows for item in row.run.items):
        tags_of[item.id] = tags_of.get(item.id) or item.tags
    counts = Counter(tag for item_id in ids for tag in set(tags_of[item_id]))
    if metric is None or len(counts) < 2:
        return []
    frequent = [
        tag
        for tag, images in sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
        if images >= FEWEST_IMAGES
    ]
    is_marked = comparison.is_comparable(metric)
    table = []
    for tag in frequent[:MOST_TAGS]:
        chosen = np.array([tag in tags_of[item_id] for item_id in ids])
        scores = tuple(score_over(comparison, row.index, metric, chosen) for row in comparison.rows)
        oriented = [score.oriented for score in scores if score]
        best = max(oriented) if is_marked and len(oriented) > 1 else None
        table.append(TagScores(tag, counts[tag], scores, best))
    return table


def score_over(comparison: Comparison, index: int, metric: str, chosen: NDArray[np.bool_]) -> Score | None:
    """One run's score over some of the shared images, weighted as within all of them."""
    whole = comparison.pairs.measurements[index].get(metric)
    if whole is None:
        return None
    measured = whole.of(np.flatnonzero(chosen))
    if not np.isfinite(measured.value):
        return None
    (bounds,) = intervals([measured], confidence=comparison.pairs.confidence)
    return score_of(measured, bounds)
