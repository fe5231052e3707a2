"""Which images a page shows of runs that are too large for it: those that tell most, and a sample of others.

Half of the places go to the images with the best, the worst and the most different scores, to those on which
two metrics disagree most, and to those without a caption. The other half is a stratified sample, so that the
page also shows what is usual.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

import numpy as np
from numpy.typing import NDArray

from evaluator.comparison.comparison import Comparison, Row
from evaluator.comparison.metric_agreement import agreement, ranks
from evaluator.core import Array, Item
from evaluator.data.sampling import stratified

MOST_IMAGES = 50_000  # some 25 MB of a page with five references each
OF_EACH_KIND = 0.1  # of the places, for each of the five kinds that tell most
SEED = 0


def shown_images(
    comparison: Comparison, most: int = MOST_IMAGES, wanted: Collection[str] = ()
) -> frozenset[str] | None:
    """The ids of at most so many images, those that are wanted among them; None where all can be shown."""
    items: dict[str, Item] = {}
    for row in comparison.rows:
        for item in row.run.items:
            items.setdefault(item.id, item)
    if len(items) <= most:
        return None
    chosen = dict.fromkeys(wanted)
    chosen |= dict.fromkeys(telling_images(comparison, int(most * OF_EACH_KIND)))
    others = [item for item in items.values() if item.id not in chosen]
    chosen |= dict.fromkeys(item.id for item in stratified(others, max(0, most - len(chosen)), SEED))
    return frozenset(chosen)


def telling_images(comparison: Comparison, most: int) -> Iterator[str]:
    """The ids of at most so many images of each kind."""
    of_each_run = max(1, most // len(comparison.rows))
    for row in comparison.rows:
        yield from without_caption(row, of_each_run)
    if not (metric := comparison.lead_metric):
        return
    ids, measured = comparison.pairs.ids, comparison.pairs.measurements
    scores = np.array([each[metric].oriented for each in measured if metric in each])
    for of_run in scores:
        yield from (ids[index] for index in highest(of_run, of_each_run))
        yield from (ids[index] for index in highest(-of_run, of_each_run))
    if len(scores) > 1:
        yield from (ids[index] for index in highest(scores.max(axis=0) - scores.min(axis=0), most))
    if found := agreement(comparison):
        for each in measured:
            if all(name in each for name in found.least):
                one, other = (places(each[name].oriented) for name in found.least)
                yield from (ids[index] for index in highest(np.abs(one - other), of_each_run))


def without_caption(row: Row, most: int) -> list[str]:
    captions = row.run.captions
    failed = [item.id for item in row.run.items if item.id not in captions or captions[item.id].text is None]
    return failed[:: max(1, -(-len(failed) // most))]


def places(scores: Array) -> Array:
    """Each score's place among all, from the lowest; NaN where there is no score."""
    found = np.full(len(scores), np.nan)
    known = ~np.isnan(scores)
    found[known] = ranks(scores[known])
    return found


def highest(values: Array, most: int) -> NDArray[np.intp]:
    """The indices of the highest values, at most so many; of equal ones the first."""
    order = np.argsort(-values, kind="stable")[:most]  # NaN comes last
    return order[~np.isnan(values[order])]
