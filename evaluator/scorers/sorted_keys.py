"""Pairs of numbers as one sorted key, so that joining and grouping are sorts and searches of whole arrays.

>>> import numpy as np
>>> keys = joined(np.array([0, 0, 1]), np.array([5, 7, 5]))
>>> first_of(keys).tolist(), second_of(keys).tolist()
([0, 0, 1], [5, 7, 5])
>>> place, found = places(joined(np.array([0, 1]), np.array([7, 6])), keys)
>>> place.tolist(), found.tolist()
([1, 3], [True, False])
>>> spans(np.array([10, 20]), np.array([3, 2])).tolist()
[10, 11, 12, 20, 21]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]
Kind = TypeVar("Kind", np.int64, np.float64)

_SECOND_BITS = 31
_SECOND = (1 << _SECOND_BITS) - 1

# So many keys are searched for or numbered at a time that what this takes fits into the processor's cache.
# Eight times as many keys then take eight times as long, and not ten or fifteen times.
_KEYS_AT_A_TIME = 1 << 12
_KEYS_OF_A_PART = 1 << 15


def joined(first: Numbers, second: Numbers) -> Numbers:
    """Two numbers below 2 ** 31 in one that sorts by the first, then the second."""
    return (first << _SECOND_BITS) | second


def first_of(keys: Numbers) -> Numbers:
    return keys >> _SECOND_BITS


def second_of(keys: Numbers) -> Numbers:
    return keys & _SECOND


def places(keys: Numbers, table: Numbers) -> tuple[Numbers, Flags]:
    """Where each of the sorted keys stands in the sorted table, and whether it does."""
    place = np.empty(len(keys), np.int64)
    for start in range(0, len(keys), _KEYS_AT_A_TIME):
        some = keys[start : start + _KEYS_AT_A_TIME]
        low, high = np.searchsorted(table, some[[0, -1]])
        place[start : start + len(some)] = low + np.searchsorted(table[low:high], some)
    found = place < len(table)
    found[found] = table[place[found]] == keys[found]
    return place, found


def numbered(keys: Sequence[Numbers], known: Numbers) -> tuple[list[Numbers], Numbers]:
    """A number for each key of several arrays, its place in the sorted `known` or beyond; and the new keys.

    Done part by part, a part being the keys whose first numbers lie in one range.
    """
    sizes = [len(some) for some in keys]
    parts = sum(sizes) // _KEYS_OF_A_PART + 1
    range_of_firsts = max((int(first_of(some).max(initial=0)) for some in keys), default=0) // parts + 1
    part_of = np.concatenate([(first_of(some) // range_of_firsts).astype(np.uint16) for some in keys])
    # NumPy sorts numbers of 16 bits in linear time.
    rows_by_part = np.split(
        np.argsort(part_of, kind="stable"), np.cumsum(np.bincount(part_of, minlength=parts))[:-1]
    )
    together = np.concatenate(keys)
    numbers, new, total = np.empty(len(together), np.int64), [known[:0]], len(known)
    for rows in rows_by_part:
        distinct, inverse = np.unique(together[rows], return_inverse=True)
        place, found = places(distinct, known)
        new.append(distinct[~found])
        place[~found] = np.arange(total, total + len(new[-1]))
        total += len(new[-1])
        numbers[rows] = place[inverse]
    return np.split(numbers, np.cumsum(sizes)[:-1]), np.concatenate(new)


def at(numbers: Numbers, first: NDArray[Kind], then: NDArray[Kind]) -> NDArray[Kind]:
    """What stands at these numbers in two arrays that continue each other."""
    beyond = numbers >= len(first)
    found = np.empty(len(numbers), first.dtype)
    found[~beyond] = first[numbers[~beyond]]
    found[beyond] = then[numbers[beyond] - len(first)]
    return found


def group_starts(keys: Numbers) -> Numbers:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.concatenate([np.ones(min(len(keys), 1), np.bool_), keys[1:] != keys[:-1]]))


def spans(starts: Numbers, sizes: Numbers) -> Numbers:
    """start, start + 1, ... of each span, one span after the other."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(sizes.sum())
