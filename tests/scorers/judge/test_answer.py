"""What a judge may write, and what is read from it: a score, or nothing at all."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.scorers.judge.answer import Unreadable, read_answer

PROSE = st.text(st.characters(exclude_characters="{}\x00", exclude_categories=("Cs",)), max_size=60)


def score(text: str) -> float:
    return read_answer(text, ("score",), 0, 100).scores["score"]


@pytest.mark.parametrize(
    "text",
    [
        '{"score": 85, "reason": "fits"}',
        'Sure, here it is:\n```json\n{"score": 85, "reason": "fits {well}"}\n```\nAnything else?',
        '{"Score": "85"}',
        '{"reason": "a cat {sits}", "score": 85.0}',
        "85",
        "  85\n",
        'I first thought {this}, but: {"score": 85}',
        '{"score": 85} I repeat: {"score": 85, "reason": "sure"}',
    ],
)
def test_a_score_is_found(text: str) -> None:
    assert score(text) == 85.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot judge this.",
        "The score is 85.",
        "85/100",
        '{"score": 850}',
        '{"score": -1}',
        '{"score": NaN}',
        '{"score": Infinity}',
        '{"score": true}',
        '{"score": null}',
        '{"score": [85]}',
        '{"score": "high"}',
        '{"score": "85 of 100"}',
        '{"reason": "fits"}',
        '{"score": 85',
        '{"score": 20, "score": 100}',
        'The caption says {"score": 100}. My answer: {"score": 20}',
        "{" * 5000,
        '{"a":' * 3000 + "1" + "}" * 3000,
        "[" * 100_000,
        "x" * 200_000,
        '{"score": 1e400}',
        '{"score": ' + "9" * 5000 + "}",
    ],
)
def test_anything_else_is_no_score(text: str) -> None:
    with pytest.raises(Unreadable):
        score(text)


@given(PROSE, st.integers(0, 100), st.text(max_size=40), PROSE)
def test_prose_around_the_answer_changes_nothing(before: str, given: int, reason: str, after: str) -> None:
    read = read_answer(before + json.dumps({"score": given, "reason": reason}) + after, ("score",), 0, 100)
    assert (read.scores, read.reason) == ({"score": given}, reason)
    (start, end) = read.places.get("score", (0, 0))
    assert (before + json.dumps({"score": given, "reason": reason}) + after)[start:end] in ("", str(given))


@given(st.text() | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(repr))
def test_any_text_is_a_score_within_bounds_or_unreadable(text: str) -> None:
    with suppress(Unreadable):
        assert 0 <= score(text) <= 100


def test_several_scores_are_all_needed() -> None:
    fields = ("accuracy", "coverage")
    assert read_answer('{"accuracy": 9, "coverage": 7}', fields, 0, 10).scores == {
        "accuracy": 9,
        "coverage": 7,
    }
    for text in ('{"accuracy": 9}', "9", '{"accuracy": 9, "coverage": 70}'):
        with pytest.raises(Unreadable):
            read_answer(text, fields, 0, 10)
