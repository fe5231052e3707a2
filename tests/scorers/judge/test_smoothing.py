"""The expected score under the probabilities of its digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import TokenChoice
from evaluator.models.asked import token_choices
from evaluator.scorers.judge.smoothing import expected_number


def test_digits_by_hand() -> None:
    """0.8 with probability 0.6 and 0.6 with 0.4, then a second digit of 5 or 1, half and half."""
    choices = [
        TokenChoice(0, "0", {"0": 0.9, "1": 0.1}),
        TokenChoice(2, "8", {"8": 0.6, "6": 0.4}),
        TokenChoice(3, "5", {"5": 0.25, "1": 0.25, '"': 0.5}),
    ]
    assert expected_number("0.85", (0, 4), choices) == pytest.approx(0.1 + 0.72 + 0.03)


def test_a_token_of_two_digits_is_one_choice() -> None:
    choices = [TokenChoice(0, "85", {"85": 0.5, "75": 0.25, "9": 0.1, "x": 0.15})]
    assert expected_number("85", (0, 2), choices) == pytest.approx((85 * 0.5 + 75 * 0.25) / 0.75)


def test_a_token_may_hold_more_than_the_number() -> None:
    choices = [TokenChoice(0, '": 8', {'": 8': 0.5, '": 6': 0.5, "8": 1.0})]
    assert expected_number('": 8', (3, 4), choices) == pytest.approx(7)


@pytest.mark.parametrize(
    "choices",
    [
        [],
        [TokenChoice(0, "8", {"8": 1.0})],  # the second digit is missing
        [TokenChoice(0, "9", {"9": 1.0}), TokenChoice(1, "5", {"5": 1.0})],  # not what was written
        [TokenChoice(0, "8", {}), TokenChoice(1, "5", {"5": 1.0})],
    ],
)
def test_without_all_probabilities_there_is_no_expected_score(choices: list[TokenChoice]) -> None:
    assert expected_number("85", (0, 2), choices) is None


@given(st.decimals(0, 100, places=2), st.integers(1, 3))
def test_a_judge_that_is_certain_means_what_it_writes(number: object, size: int) -> None:
    text = f"{number}"
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    choices = token_choices(text, [(piece, [(piece, 0.0)]) for piece in pieces])
    assert expected_number(text, (0, len(text)), choices) == pytest.approx(float(text))


def test_tokens_that_do_not_make_up_the_answer_are_not_used() -> None:
    assert token_choices("85", [("9", [("9", 0.0)])]) == ()
    assert [each.start for each in token_choices("a 8", [("\n", []), ("a ", []), ("8", [("8", 0.0)])])] == [2]
