"""Pairs of ids packed into one integer, so that pairs are sorted and looked up as plain numbers.

>>> keys = pack(np.array([0, 0, 1]), np.array([5, 7, 5]))
>>> unpack(keys)
(array([0, 0, 1]), array([5, 7, 5]))
>>> lookup(pack(np.array([0, 1]), np.array([7, 6])), keys)
(array([1, 3]), array([ True, False]))
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]

BITS = 31
# The part of a large table in which so many sorted keys lie fits into the processor's cache.
_KEYS_AT_A_TIME = 1 << 12


def pack(first: Ids, second: Ids, bits: int = BITS) -> Ids:
    """Two ids in one key, the second below 2 ** bits. Keys sort by the first id, then by the second."""
    return (first << bits) | second


def unpack(keys: Ids, bits: int = BITS) -> tuple[Ids, Ids]:
    return keys >> bits, keys & ((1 << bits) - 1)


def lookup(keys: Ids, table: Ids) -> tuple[Ids, NDArray[np.bool_]]:
    """For sorted keys and a sorted table: the index of each key in the table, and whether it is there."""
    index = np.empty(len(keys), np.int64)
    for start in range(0, len(keys), _KEYS_AT_A_TIME):
        some = keys[start : start + _KEYS_AT_A_TIME]
        low, high = np.searchsorted(table, some[[0, -1]])
        index[start : start + len(some)] = low + np.searchsorted(table[low:high], some)
    present = index < len(table)
    present[present] = table[index[present]] == keys[present]
    return index, present
