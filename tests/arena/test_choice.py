"""Which question comes next: never one that says nothing, and the one that narrows the ratings most."""

from __future__ import annotations

import math
from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.arena.choice import (
    APART,
    Captions,
    Question,
    information,
    most_telling,
    next_question,
    wins_of,
)
from evaluator.arena.ratings import MEAN, covariance_of, ratings_of
from evaluator.arena.session_plan import session_plan
from evaluator.arena.votes import Vote, caption_digest

SAID = {
    "1": {"x": "a dog", "y": "a cat", "z": "A dog."},  # x and z say the same
    "2": {"x": "a bus", "y": "a bus"},
    "3": {"x": "a man", "y": "a woman", "z": "a child"},
}


def answered(question: Question, rater: str, number: int, winner: str = "a") -> Vote:
    digests = {name: caption_digest(SAID[question.image][name]) for name in (question.a, question.b)}
    return Vote(
        question.image,
        question.a,
        question.b,
        winner,  # type: ignore[arg-type]
        rater,
        question.left,
        str(number),
        caption_a=digests[question.a],
        caption_b=digests[question.b],
    )


def test_captions_that_say_the_same_are_never_asked_about() -> None:
    captions = Captions(SAID)
    assert captions.systems == ("x", "y", "z")
    assert captions.images == {("x", "y"): ["1", "3"], ("x", "z"): ["3"], ("y", "z"): ["1", "3"]}
    assert captions.questions == 5


@given(
    seed=st.integers(0, 10_000),
    winners=st.lists(st.sampled_from(["a", "b", "tie", "both_bad", "skip"]), min_size=5, max_size=5),
)
def test_a_rater_answers_every_question_once_and_repeats_only_swapped(seed: int, winners: list[str]) -> None:
    captions, random = Captions(SAID), Random(seed)
    votes: list[Vote] = []
    asked: Counter[object] = Counter()
    for number in range(100):
        question = next_question(captions, votes, "anna", (), random)
        if question is None:
            break
        key = question.image, frozenset((question.a, question.b))
        earlier = [vote for vote in votes if vote.question == key]
        if earlier:
            (first,) = earlier
            assert (first.a, first.b) == (question.a, question.b)
            assert first.left != question.left
            assert votes.index(first) < len(votes) - APART
        asked[key] += 1
        votes.append(answered(question, "anna", number, winners[number % 5]))
    assert len(asked) == 5
    assert next_question(captions, votes, "ben", (), random) is not None


def test_another_rater_gets_some_of_the_same_questions() -> None:
    said = {str(n): {"x": f"{n} dogs", "y": f"{n} cats"} for n in range(400)}
    captions, random = Captions(said), Random(1)
    votes = [Vote(str(n), "x", "y", "a", "anna", "a", str(n)) for n in range(100)]
    shared = sum(
        question is not None and int(question.image) < 100
        for _ in range(200)
        for question in [next_question(captions, votes, "ben", (), random)]
    )
    assert 5 < shared < 40  # a tenth of them


def test_a_changed_caption_is_asked_about_again() -> None:
    captions = Captions({"1": {"x": "a dog", "y": "a cat"}})
    vote = Vote(
        "1", "x", "y", "a", "anna", "a", caption_a=caption_digest("a dog"), caption_b=caption_digest("a cat")
    )
    assert next_question(captions, [vote], "anna", (), Random(0)) is None
    changed = Captions({"1": {"x": "a dog", "y": "two cats"}})
    assert next_question(changed, [vote], "anna", (), Random(0)) is not None


def test_the_information_is_what_a_vote_takes_from_the_variances() -> None:
    """Against the definition: the trace of the covariance before and after a vote that the ratings expect."""
    random = np.random.default_rng(3)
    wins = random.integers(1, 9, (4, 4)).astype(float)
    np.fill_diagonal(wins, 0)
    ratings, gains = ratings_of(wins), information(wins)
    scale = (400 / math.log(10)) ** 2
    for i, j in ((0, 1), (2, 3), (0, 3)):
        more = wins.copy()
        # The curvature depends only on how often two systems met.
        more[i, j] += 0.5
        more[j, i] += 0.5
        taken = np.trace(covariance_of(wins, ratings)) - np.trace(covariance_of(more, ratings))
        assert gains[i, j] == pytest.approx(taken / scale, rel=1e-3)


def test_close_systems_are_asked_about_before_distant_ones() -> None:
    """Four systems, 200 points apart, that met equally often: neighbours first, the two ends last."""
    strengths = np.arange(4) * 200.0
    wins = 20 / (1 + 10 ** ((strengths[None, :] - strengths[:, None]) / 400))
    np.fill_diagonal(wins, 0)
    gains = information(wins)
    assert min(gains[0, 1], gains[1, 2], gains[2, 3]) > max(gains[0, 2], gains[1, 3]) > gains[0, 3]


def test_a_pair_that_others_look_at_now_can_wait() -> None:
    votes = [Vote("1", a, b, "tie") for a, b in (("x", "y"), ("x", "z"), ("y", "z")) for _ in range(20)]
    waiting = [Question("1", "x", "y", "a")] * 3
    assert most_telling(("x", "y", "z"), votes, waiting, Random(0))[-1] == ("x", "y")


def test_chosen_pairs_need_fewer_votes_than_random_ones() -> None:
    """Eight systems of known strength, 200 points apart; docs/arena.md has figures of longer simulations."""
    strengths = {f"s{n}": 200.0 * n for n in range(8)}
    widths: dict[bool, list[float]] = {True: [], False: []}
    for is_chosen in widths:
        for seed in range(2):
            random, votes = Random(seed), list[Vote]()
            for number in range(160):
                pair = (
                    most_telling(tuple(strengths), votes, (), random)[0]
                    if is_chosen
                    else random.sample(sorted(strengths), 2)
                )
                a, b = pair
                wins = random.random() < 1 / (1 + 10 ** ((strengths[b] - strengths[a]) / 400))
                votes.append(Vote(str(number), a, b, "a" if wins else "b"))
            found = wins_of(tuple(strengths), votes)
            widths[is_chosen].append(
                float(np.sqrt(np.diagonal(covariance_of(found, ratings_of(found)))).mean())
            )
    assert sum(widths[True]) < 0.85 * sum(widths[False])


def test_a_plan_of_two_systems_is_a_test_of_a_share() -> None:
    """To separate a share of 60 % from a half with 80 % power takes (1.96 + 0.84)² / (4 · 0.1²) votes."""
    plan = session_plan(2, round((1.96 + 0.8416) ** 2 / 0.1**2 / 4))
    assert plan.win_share == pytest.approx(0.6, abs=0.003)
    assert (
        session_plan(5, 1000).difference
        > session_plan(5, 4000).difference
        == pytest.approx(session_plan(5, 1000).difference / 2, rel=0.01)
    )
    assert ratings_of(np.zeros((3, 3))) == pytest.approx([MEAN] * 3)
