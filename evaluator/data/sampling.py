"""A stratified sample of a data set, the same for the same seed.

Strata are the items' first tags where they have any, else quarters by the length of their references, since
short references are easier. Each stratum gives its share (largest remainders); the order stays that of the
data set.

    >>> from evaluator.core import Item
    >>> items = [Item(str(n), None, tags=("cat",) if n % 4 else ("dog",)) for n in range(40)]
    >>> drawn = stratified(items, 8, seed=1)
    >>> len(drawn), sum(item.tags == ("dog",) for item in drawn)
    (8, 2)
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from statistics import fmean, quantiles

from evaluator.core import Item


def stratified(items: Sequence[Item], size: int, seed: int) -> list[Item]:
    """`size` of the items, or all where there are no more."""
    if size >= len(items):
        return list(items)
    places_of: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, stratum in enumerate(strata(items)):
        places_of[stratum].append(place)
    shares = {stratum: size * len(places) / len(items) for stratum, places in places_of.items()}
    sizes = {stratum: int(share) for stratum, share in shares.items()}
    by_remainder = sorted(shares, key=lambda stratum: sizes[stratum] - shares[stratum])
    for stratum in by_remainder[: size - sum(sizes.values())]:
        sizes[stratum] += 1
    source = random.Random(seed)
    drawn = [
        place for stratum, places in places_of.items() for place in source.sample(places, sizes[stratum])
    ]
    return [items[place] for place in sorted(drawn)]


def strata(items: Sequence[Item]) -> list[Hashable]:
    """What each item is drawn beside."""
    if any(item.tags for item in items):
        return [item.tags[:1] for item in items]
    lengths = [
        fmean(len(text.split()) for text in item.references) if item.references else 0.0 for item in items
    ]
    borders = quantiles(lengths, n=4) if len(items) > 1 else []
    return [sum(length > border for border in borders) for length in lengths]
