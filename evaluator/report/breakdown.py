"""The lead metric on the images of each tag, with intervals: where a system is strong, and where weak."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from evaluator.compare import Comparison
from evaluator.core import Score
from evaluator.significance import intervals

# The most frequent ones; with fewer images an interval says nothing.
TAGS_SHOWN = 20
FEWEST_IMAGES = 5
RESAMPLES = 1000


@dataclass(frozen=True)
class TagScores:
    """One tag: how many images have it, and each run's score over them."""

    tag: str
    images: int
    scores: tuple[Score | None, ...]  # in the order of the comparison's rows

    @property
    def best(self) -> float | None:
        """The goodness of the best of the scores, where there are several."""
        known = [score for score in self.scores if score is not None]
        return max((score.goodness for score in known), default=None) if len(known) > 1 else None


def breakdown(comparison: Comparison) -> list[TagScores]:
    """The tags of the images that all runs captioned, the most frequent first; empty where there are none."""
    metric = comparison.lead_metric
    ids = comparison.contrasts.ids
    tags_of = {item.id: item.tags for item in comparison.rows[0].run.items()}
    counts = Counter(tag for item_id in ids for tag in set(tags_of[item_id]))
    if metric is None or len(counts) < 2:
        return []
    shown = [
        tag
        for tag, images in sorted(counts.items(), key=lambda found: (-found[1], found[0]))
        if images >= FEWEST_IMAGES
    ][:TAGS_SHOWN]
    return [
        TagScores(
            tag,
            counts[tag],
            tuple(
                score_of_part(comparison, row.place, metric, [tag in tags_of[item_id] for item_id in ids])
                for row in comparison.rows
            ),
        )
        for tag in shown
    ]


def score_of_part(comparison: Comparison, place: int, metric: str, part: list[bool]) -> Score | None:
    """One run's score over some of the shared images, weighed as within all of them."""
    whole = comparison.contrasts.measurements[place].get(metric)
    if whole is None:
        return None
    measured = replace(whole, statistics=whole.statistics[np.array(part)])
    if not np.isfinite(measured.value):
        return None
    (bounds,) = intervals([measured], RESAMPLES, comparison.contrasts.confidence)
    return Score(
        metric,
        measured.value,
        bounds.low,
        bounds.high,
        measured.signature,
        measured.higher_is_better,
        int(measured.scored.sum()),
    )
