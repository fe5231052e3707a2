"""A subset that represents the whole: stratified, and the same for the same seed.

An item's stratum is its first tag. Where no item has tags, the strata are quarters by the length of the
references, because short references are easier. Each stratum contributes its share (largest remainders), and
the order stays that of the data set.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Hashable, Sequence
from statistics import fmean, quantiles

from evaluator.core import Item


def stratified(items: Sequence[Item], size: int, seed: int) -> list[Item]:
    """`size` of the items, or all items where there are not more."""
    if size >= len(items):
        return list(items)
    members: defaultdict[Hashable, list[int]] = defaultdict(list)
    for index, stratum in enumerate(strata(items)):
        members[stratum].append(index)
    shares = {stratum: size * len(indices) / len(items) for stratum, indices in members.items()}
    sizes = {stratum: int(share) for stratum, share in shares.items()}
    by_remainder = sorted(shares, key=lambda stratum: sizes[stratum] - shares[stratum])
    for stratum in by_remainder[: size - sum(sizes.values())]:
        sizes[stratum] += 1
    source = random.Random(seed)
    drawn = [index for name, indices in members.items() for index in source.sample(indices, sizes[name])]
    return [items[index] for index in sorted(drawn)]


def shard(items: Sequence[Item], index: int, count: int) -> list[Item]:
    """Part `index` of `count`, from 1 on: each `count`-th item, so that parts differ by one item at most.

    >>> [shard([1, 2, 3, 4, 5], index, 2) for index in (1, 2)]
    [[1, 3, 5], [2, 4]]
    """
    return list(items[index - 1 :: count])


def strata(items: Sequence[Item]) -> list[Hashable]:
    """The stratum of each item."""
    if any(item.tags for item in items):
        return [item.tags[:1] for item in items]
    lengths = [fmean([len(text.split()) for text in item.references] or [0.0]) for item in items]
    borders = quantiles(lengths, n=4) if len(items) > 1 else []
    return [sum(length > border for border in borders) for length in lengths]
