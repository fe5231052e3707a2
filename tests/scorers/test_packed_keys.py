"""Packed keys, against Python's own tuples and sets."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers import packed_keys
from evaluator.scorers.packed_keys import lookup, pack, unpack

ids = st.integers(0, 2**31 - 1)


def array(numbers: list[int]) -> np.ndarray:
    return np.array(numbers, np.int64)


@given(st.lists(st.tuples(ids, ids)))
def test_keys_are_unpacked_as_they_were_packed_and_sort_like_pairs(pairs: list[tuple[int, int]]) -> None:
    first, second = array([pair[0] for pair in pairs]), array([pair[1] for pair in pairs])
    keys = pack(first, second)
    assert [part.tolist() for part in unpack(keys)] == [first.tolist(), second.tolist()]
    assert np.argsort(keys, kind="stable").tolist() == sorted(range(len(pairs)), key=pairs.__getitem__)


@given(st.lists(st.integers(0, 20)), st.sets(st.integers(0, 20)), st.sampled_from([1, 2, 1000]))
def test_keys_are_looked_up_in_a_table(keys: list[int], table: set[int], at_a_time: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packed_keys, "_KEYS_AT_A_TIME", at_a_time)
        index, present = lookup(array(sorted(keys)), array(sorted(table)))
    assert present.tolist() == [key in table for key in sorted(keys)]
    assert [sorted(table)[at] for at in index[present]] == [key for key in sorted(keys) if key in table]
