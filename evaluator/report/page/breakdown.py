"""The lead metric on the images of each tag, with intervals: where a system is strong, and where weak."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from evaluator.comparison.bootstrap import intervals, with_interval
from evaluator.comparison.compare import Comparison
from evaluator.core import Score
from evaluator.report.verdict import comparable

# The most frequent ones; with fewer images an interval says nothing.
TAGS_SHOWN = 20
FEWEST_IMAGES = 5


@dataclass(frozen=True)
class TagScores:
    """One tag: how many images have it, and each run's score over them."""

    tag: str
    images: int
    scores: tuple[Score | None, ...]  # in the order of the comparison's rows
    best: float | None = None  # the goodness of the best, where there are several and they are comparable


def breakdown(comparison: Comparison) -> list[TagScores]:
    """The tags of the images that all runs captioned, the most frequent first; empty where there are none."""
    metric = comparison.lead_metric
    ids = comparison.contrasts.ids
    tags_of: dict[str, tuple[str, ...]] = {}
    for item in (item for row in comparison.rows for item in row.run.items()):
        tags_of[item.id] = tags_of.get(item.id) or item.tags
    counts = Counter(tag for item_id in ids for tag in set(tags_of[item_id]))
    if metric is None or len(counts) < 2:
        return []
    shown = [
        tag
        for tag, images in sorted(counts.items(), key=lambda found: (-found[1], found[0]))
        if images >= FEWEST_IMAGES
    ][:TAGS_SHOWN]
    marked = comparable(comparison, metric)
    found = []
    for tag in shown:
        part = [tag in tags_of[item_id] for item_id in ids]
        scores = tuple(score_of_part(comparison, row.place, metric, part) for row in comparison.rows)
        goods = [score.goodness for score in scores if score]
        found.append(TagScores(tag, counts[tag], scores, max(goods) if marked and len(goods) > 1 else None))
    return found


def score_of_part(comparison: Comparison, place: int, metric: str, part: list[bool]) -> Score | None:
    """One run's score over some of the shared images, weighed as within all of them."""
    whole = comparison.contrasts.measurements[place].get(metric)
    if whole is None:
        return None
    measured = replace(whole, statistics=whole.statistics[np.array(part)])
    if not np.isfinite(measured.value):
        return None
    (bounds,) = intervals([measured], confidence=comparison.contrasts.confidence)
    return with_interval(measured, bounds)
