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

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.int64]
Flags = NDArray[np.bool_]

_SECOND_BITS = 31
_SECOND = (1 << _SECOND_BITS) - 1

# Searching for this many keys at a time looks at a part of the table that the processor's cache holds, and
# at no more of a larger table.
_KEYS_AT_A_TIME = 1 << 12


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


def numbered(keys: Numbers, known: Numbers) -> tuple[Numbers, Numbers]:
    """A number for each key, its place among the sorted known ones or beyond them; and the new keys."""
    distinct, inverse = np.unique(keys, return_inverse=True)
    number, found = places(distinct, known)
    new = distinct[~found]
    number[~found] = len(known) + np.arange(len(new))
    return number[inverse], new


def group_starts(keys: Numbers) -> Numbers:
    """Where each run of equal keys begins."""
    return np.flatnonzero(np.concatenate([np.ones(min(len(keys), 1), np.bool_), keys[1:] != keys[:-1]]))


def spans(starts: Numbers, sizes: Numbers) -> Numbers:
    """start, start + 1, ... of each span, one span after the other."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(sizes.sum())
