"""What is counted over captions: the speed of a run whose requests overlap, pause and fail."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Caption, Outcome
from evaluator.store.counts import images_per_second, union_length


def requests(number: int, at_once: int, start: float = 1e9, outcome: Outcome = Outcome.OK) -> list[Caption]:
    """Answers to so many requests of two seconds each, always so many on their way."""
    return [
        Caption(f"{start}-{i}", outcome, seconds=2.0, answered_at=start + 2.0 * (i // at_once + 1))
        for i in range(number)
    ]


def test_many_at_once_are_so_many_times_as_fast_as_one() -> None:
    assert images_per_second(requests(100, at_once=1)) == pytest.approx(0.5)
    assert images_per_second(requests(100, at_once=20)) == pytest.approx(20 * 0.5)


def test_the_pause_before_a_resumed_command_does_not_count() -> None:
    resumed = requests(100, at_once=20) + requests(100, at_once=20, start=1e9 + 86_400)
    assert images_per_second(resumed) == pytest.approx(20 * 0.5)


def test_captions_without_the_time_of_their_answer_take_what_each_took() -> None:
    """Of local models, and of runs from before it was recorded; both kinds in one ledger add up."""
    before = [replace(caption, answered_at=None) for caption in requests(10, at_once=10)]
    assert images_per_second(before) == pytest.approx(0.5)
    assert images_per_second(before + requests(100, at_once=20)) == pytest.approx(110 / (20 + 10))


def test_what_was_not_captioned_is_no_speed() -> None:
    refused = requests(10, at_once=1, outcome=Outcome.REFUSED)
    assert images_per_second(refused) is None
    assert images_per_second([]) is None
    # A refusal took its time; an error is tried again, and the cache takes none.
    errors = requests(10, at_once=1, start=2e9, outcome=Outcome.ERROR)
    cached = [replace(caption, source="cache", seconds=0.0) for caption in requests(10, at_once=1, start=3e9)]
    made = requests(10, at_once=1, start=4e9)
    assert images_per_second(refused + errors + cached + made) == pytest.approx(10 / 40)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 10))))
def test_spans_cover_what_at_least_one_of_them_covers(spans: list[tuple[int, int]]) -> None:
    seconds = {second for start, length in spans for second in range(start, start + length)}
    assert union_length([(float(start), float(start + length)) for start, length in spans]) == len(seconds)
