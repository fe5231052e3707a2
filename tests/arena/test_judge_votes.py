"""A judge's votes in both orders: what they are together, and what they depend on."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from evaluator.arena.choice import Captions
from evaluator.arena.consistency import share
from evaluator.arena.disputes import disputes
from evaluator.arena.judge_votes import bias, together
from evaluator.arena.panels import panels
from evaluator.arena.votes import Side, Vote, Winner


def judged(image: str, winner: Winner, left: Side, a: str = "x", b: str = "y", rater: str = "gemini") -> Vote:
    return Vote(image, a, b, winner, rater, left, by="judge")


def always_first(images: int) -> list[Vote]:
    return [judged(str(n), left, left) for n in range(images) for left in ("a", "b")]


def test_a_judge_that_always_chooses_the_first_has_position_bias_1_and_only_ties() -> None:
    votes = always_first(20)
    assert [vote.winner for vote in together(votes)] == ["tie"] * 20
    found = bias(votes, [], None)
    assert found.position is not None
    assert found.first is not None
    assert (found.position.value, found.position.of, found.first.value, found.first.of) == (1.0, 20, 1.0, 40)
    (panel,) = panels(votes, resamples=100)
    assert [(one.rating, one.tied) for one in panel.ratings.systems] == [(pytest.approx(1000), 20)] * 2


def test_two_orders_are_one_vote() -> None:
    votes = [
        judged("1", "a", "a"),
        judged("1", "a", "b"),  # x in both orders
        judged("2", "a", "a"),
        judged("2", "tie", "b"),
        judged("3", "a", "a"),
        judged("3", "skip", "b"),  # no answer to the other order
        judged("4", "b", "", rater="elsewhere"),  # asked in one order
        judged("1", "b", "a", a="y", b="x"),  # asked again, y first, and x again
    ]
    found = {(vote.rater, vote.image): vote.preferred for vote in together(votes)}
    assert found == {
        ("gemini", "1"): "x",
        ("gemini", "2"): "tie",
        ("gemini", "3"): "skip",
        ("elsewhere", "4"): "y",
    }


@settings(max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 5), st.sampled_from(["a", "b", "tie", "skip"]), st.booleans())))
def test_the_order_of_the_file_and_of_the_systems_changes_nothing(
    told: list[tuple[int, Winner, bool]],
) -> None:
    """Each question and order once: turned around, and with a and b exchanged, they say the same."""
    votes = {(n, first): judged(str(n), winner, "a" if first else "b") for n, winner, first in told}
    exchange = {"a": "b", "b": "a"}
    other = [
        judged(v.image, exchange.get(v.winner, v.winner), exchange[v.left], "y", "x")  # type: ignore[arg-type]
        for v in reversed(votes.values())
    ]
    one, two = together(list(votes.values())), together(other)
    assert {(v.image, v.preferred) for v in one} == {(v.image, v.preferred) for v in two}
    assert bias(list(votes.values()), [], None) == bias(other, [], None)


def test_agreement_and_length_by_hand() -> None:
    """X is longer on images 1 to 3, y on 4. The judge: x, x, tie, y. People: x, y, x, tie; one skips."""
    said = {str(n): {"x": "a big dog", "y": "a dog"} for n in range(1, 4)} | {
        "4": {"x": "a cat", "y": "a big cat"}
    }
    judge = [
        judged(str(n), winner, left) for n, winner in ((1, "a"), (2, "a"), (4, "b")) for left in ("a", "b")
    ]  # type: ignore[arg-type]
    judge += [judged("3", "a", "a"), judged("3", "b", "b")]
    people = [
        Vote("1", "y", "x", "b", "anna"),
        Vote("2", "x", "y", "b", "anna"),
        Vote("3", "x", "y", "a", "ben"),
        Vote("4", "x", "y", "both_bad", "ben"),
        Vote("4", "x", "y", "skip", "anna"),
    ]
    found = bias(judge, people, Captions(said))
    shares = (found.position, found.agreement, found.agreement_decided, found.longer, found.longer_by_people)
    assert [one and (one.value, one.of) for one in shares] == [
        (0.25, 4),
        (0.25, 4),
        (0.5, 2),
        (1.0, 3),
        (pytest.approx(2 / 3), 3),
    ]
    assert all(one and one.low <= one.value <= one.high for one in shares)


def test_people_and_judges_are_never_in_one_rating() -> None:
    people = [Vote(str(n), "x", "y", "b", "anna") for n in range(8)]
    found = panels([*people, *always_first(8), *[judged("1", "a", "", rater="gpt")]], resamples=100)
    assert [(one.name, one.is_judge, one.ratings.votes) for one in found] == [
        ("people", False, 8),
        ("gemini", True, 8),
        ("gpt", True, 1),
    ]
    assert found[0].ratings.systems[0].system == "y"
    assert panels([judged("1", "skip", "a")], resamples=100) == []


def test_cases_of_one_image_count_less() -> None:
    """Four images, each with ten cases that are alike: as sure as four cases."""
    alone = share([(str(n), n < 3) for n in range(4)])
    repeated = share([(str(n), n < 3) for n in range(4) for _ in range(10)])
    spread = share([(str(n), n < 30) for n in range(40)])
    assert alone is not None
    assert repeated is not None
    assert spread is not None
    assert (repeated.low, repeated.high) == pytest.approx((alone.low, alone.high))
    assert spread.high - spread.low < 0.5 * (repeated.high - repeated.low)
    wilson = binomtest(30, 40).proportion_ci(method="wilson")
    assert (spread.low, spread.high) == pytest.approx((wilson.low, wilson.high))


def test_questions_that_people_answer_differently_come_first_where_they_are_divided() -> None:
    votes = [
        *(Vote("1", "x", "y", winner, rater) for winner, rater in (("a", "anna"), ("b", "ben"))),
        *(
            Vote("2", "x", "y", winner, rater)
            for winner, rater in (("a", "anna"), ("a", "ben"), ("b", "cem"))
        ),
        *(Vote("3", "x", "y", "a", rater) for rater in ("anna", "ben")),
        Vote("4", "x", "y", "b", "anna"),
        Vote("4", "x", "y", "a", "anna"),  # changed her mind
        judged("4", "b", ""),
        Vote("1", "y", "x", "tie", "dora", reason="both fit"),
    ]
    first, second = disputes(votes, 9)
    assert (first.image, dict(first.answers), first.reasons) == (
        "1",
        {"x": 1, "y": 1, "tie": 1},
        ["both fit"],
    )
    assert (second.image, dict(second.answers)) == ("2", {"x": 2, "y": 1})
    assert len(disputes(votes, 1)) == 1
