"""Sorted keys, against the same by Python's own dictionaries."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers import sorted_keys
from evaluator.scorers.sorted_keys import (
    at,
    first_of,
    group_starts,
    joined,
    numbered,
    places,
    second_of,
    spans,
)

small = st.lists(st.integers(0, 20))
pairs = st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)))


def array(numbers: list[int]) -> np.ndarray:
    return np.array(numbers, np.int64)


@given(pairs)
def test_joined_keys_come_apart_and_sort_as_pairs_do(some: list[tuple[int, int]]) -> None:
    first, second = array([one for one, _ in some]), array([two for _, two in some])
    keys = joined(first, second)
    assert first_of(keys).tolist() == first.tolist()
    assert second_of(keys).tolist() == second.tolist()
    assert np.argsort(keys, kind="stable").tolist() == sorted(range(len(some)), key=some.__getitem__)


@given(small, st.sets(st.integers(0, 20)), st.sampled_from([1, 2, 1000]))
def test_places_are_those_of_the_table(keys: list[int], table: set[int], at_a_time: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_keys, "_KEYS_AT_A_TIME", at_a_time)
        place, found = places(array(sorted(keys)), array(sorted(table)))
    assert found.tolist() == [key in table for key in sorted(keys)]
    assert [sorted(table)[at] for at in place[found]] == [key for key in sorted(keys) if key in table]


few_pairs = st.tuples(st.integers(0, 9), st.integers(0, 3))


@given(
    st.lists(st.lists(few_pairs), min_size=1, max_size=3), st.sets(few_pairs), st.sampled_from([1, 3, 1000])
)
def test_equal_keys_get_the_same_number_and_known_ones_their_place(
    several: list[list[tuple[int, int]]], known: set[tuple[int, int]], at_a_time: int
) -> None:
    keys = [joined(array([one for one, _ in some]), array([two for _, two in some])) for some in several]
    table = np.sort(joined(array([one for one, _ in known]), array([two for _, two in known])))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorted_keys, "_KEYS_OF_A_PART", at_a_time)
        numbers, new = numbered(keys, table)
    assert new.tolist() == sorted(set(np.concatenate(keys).tolist()) - set(table.tolist()))
    names = np.concatenate([table, new])
    assert [names[some].tolist() for some in numbers] == [some.tolist() for some in keys]


@given(st.lists(st.integers(0, 9)), st.integers(0, 10))
def test_at_reads_two_arrays_as_one(numbers: list[int], border: int) -> None:
    values = np.arange(10) * 7
    assert at(array(numbers), values[:border], values[border:]).tolist() == values[array(numbers)].tolist()


@given(small)
def test_groups_begin_where_the_key_changes(keys: list[int]) -> None:
    keys = sorted(keys)
    expected = [place for place, key in enumerate(keys) if not place or keys[place - 1] != key]
    assert group_starts(array(keys)).tolist() == expected


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5))))
def test_spans_are_ranges_one_after_the_other(some: list[tuple[int, int]]) -> None:
    expected = [number for start, size in some for number in range(start, start + size)]
    assert spans(array([start for start, _ in some]), array([size for _, size in some])).tolist() == expected
