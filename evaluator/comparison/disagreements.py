"""Where metrics disagree: on which of two runs is better, and on which captions are good.

Two runs count where at least one metric says that the one is significantly better and at least one other
metric that the other is. Captions count by the two metrics that agree least: those that are among the best of
their run by one and among the worst by the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from evaluator.comparison.comparison import Comparison
from evaluator.comparison.metric_agreement import Agreement, agreement, ranks
from evaluator.core.metrics import in_points, metric_of

MOST_CAPTIONS = 10


@dataclass(frozen=True)
class DisputedOrder:
    """Two runs, by their labels, and the metrics by which each of them is significantly better."""

    runs: tuple[str, str]
    metrics: tuple[tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class DisputedCaption:
    """A caption on which two metrics disagree."""

    run: str
    item_id: str
    caption: str
    points: tuple[float, float]  # its score by each of the two
    shares: tuple[float, float]  # of the run's captions that are worse by each, from 0 to 1


@dataclass(frozen=True)
class Disagreements:
    """What the metrics of a comparison disagree on; `agreement` has the two metrics of the captions."""

    orders: tuple[DisputedOrder, ...] = ()
    agreement: Agreement | None = None
    captions: tuple[DisputedCaption, ...] = ()


def disagreements(comparison: Comparison) -> Disagreements:
    """Over the images that all runs captioned."""
    found = agreement(comparison)
    captions = disputed_captions(comparison, found.least) if found else ()
    return Disagreements(tuple(disputed_orders(comparison)), found, tuple(captions))


def disputed_orders(comparison: Comparison) -> list[DisputedOrder]:
    """Each pair of runs whose order depends on the metric."""
    metrics = [metric for metric in comparison.computed if not metric_of(metric).covered_by]
    found = []
    for one, other in combinations(comparison.rows, 2):
        ahead: tuple[list[str], list[str]] = ([], [])
        for metric in metrics:
            if comparison.pairs.is_significant(metric, one.index, other.index):
                difference = comparison.pairs.difference(metric, one.index, other.index)
                ahead[0 if difference and difference.gain > 0 else 1].append(metric)
        if all(ahead):
            found.append(DisputedOrder((one.label, other.label), (tuple(ahead[0]), tuple(ahead[1]))))
    return found


def disputed_captions(
    comparison: Comparison, metrics: tuple[str, str], most: int = MOST_CAPTIONS
) -> Sequence[DisputedCaption]:
    """The captions that are good by one metric and bad by the other, the furthest apart first."""
    found = []
    for row in comparison.rows:
        measured = comparison.pairs.measurements[row.index]
        if not all(metric in measured for metric in metrics):
            continue
        one, other = (measured[metric] for metric in metrics)
        (both,) = np.nonzero(~np.isnan(one.per_image + other.per_image))
        worse = [(ranks(each.oriented[both]) - 1) / max(len(both) - 1, 1) for each in (one, other)]
        for place in np.argsort(-np.abs(worse[0] - worse[1]), kind="stable")[:most].tolist():
            image = int(both[place])
            item_id = comparison.pairs.ids[image]
            found.append(
                DisputedCaption(
                    row.label,
                    item_id,
                    row.run.captions[item_id].text or "",
                    (in_points(float(one.per_image[image])), in_points(float(other.per_image[image]))),
                    (float(worse[0][place]), float(worse[1][place])),
                )
            )
    return sorted(found, key=lambda each: -abs(each.shares[0] - each.shares[1]))[:most]
