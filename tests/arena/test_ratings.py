"""Bradley-Terry ratings: another program's numbers, intervals that cover, real preferences."""

from __future__ import annotations

import json
import math
from collections import defaultdict
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.arena.ratings import MEAN, SCALE, Ratings, rate, ratings_of
from evaluator.arena.votes import Vote
from evaluator.core.errors import DataError


def simulated(
    strengths: np.ndarray, votes: int, images: int, raters: int, seed: int, taste: float = 0.0
) -> list[Vote]:
    """Votes by the model; `taste` is how much raters differ in what they prefer."""
    random = np.random.default_rng(seed)
    tastes = random.normal(0, taste, (raters, len(strengths)))
    a = random.integers(len(strengths), size=votes)
    b = (a + random.integers(1, len(strengths), size=votes)) % len(strengths)
    rater = random.integers(raters, size=votes)
    differences = strengths[a] + tastes[rater, a] - strengths[b] - tastes[rater, b]
    wins = random.random(votes) < 1 / (1 + np.exp(-differences))
    image = random.integers(images, size=votes)
    return [
        Vote(str(image[n]), f"s{a[n]}", f"s{b[n]}", "a" if wins[n] else "b", f"r{rater[n]}")
        for n in range(votes)
    ]


def covered(ratings: Ratings, strengths: np.ndarray) -> list[bool]:
    true = MEAN + SCALE * (strengths - strengths.mean())
    return [one.low <= true[int(one.system[1:])] <= one.high for one in ratings.systems]


STRENGTHS = np.array([0.9, 0.4, 0.1, -0.2, -0.4, -0.8])


def test_ratings_are_those_of_another_program() -> None:
    """By choix 0.4.1, ilsr_pairwise without a prior; the prior here moves a rating by less than a point."""
    from choix import ilsr_pairwise

    votes = simulated(STRENGTHS, 2000, 300, 3, seed=1)
    won = [(v.a, v.b) if v.winner == "a" else (v.b, v.a) for v in votes]
    theirs = ilsr_pairwise(6, [(int(x[1:]), int(y[1:])) for x, y in won], alpha=0.0)
    expected = MEAN + SCALE * (theirs - theirs.mean())
    for one in rate(votes, 100).systems:
        assert one.rating == pytest.approx(expected[int(one.system[1:])], abs=0.5)


def test_two_systems_by_hand() -> None:
    """Three to one: the odds are 3.1 to 1.1 with the prior, as each has a tenth of a win against strength 0.

    With strengths s and -s, the likelihood's derivative is 3 - 4 p(2s) + 0.1 - 0.2 p(s) = 0 at s = 0.5321.
    """
    votes = [Vote(str(n), "x", "y", "b" if n == 3 else "a") for n in range(4)]
    (x, y) = rate(votes, 100).systems
    assert x.rating == pytest.approx(MEAN + SCALE * 0.5321, abs=0.05)
    assert y.rating == pytest.approx(MEAN - SCALE * 0.5321, abs=0.05)
    assert (x.system, x.won, x.lost, y.won, y.lost) == ("x", 3, 1, 1, 3)


def test_a_tie_is_half_a_win_for_each() -> None:
    ties = [Vote(str(n), "x", "y", winner) for n, winner in enumerate(("tie", "both_bad"))]
    assert [one.rating for one in rate(ties, 100).systems] == pytest.approx([MEAN, MEAN])
    assert [(one.tied, one.both_bad, one.rank) for one in rate(ties, 100).systems] == [(1, 1, 1)] * 2


def test_who_wins_every_vote_has_a_finite_rating() -> None:
    votes = [Vote(str(n), "x", "y", "a") for n in range(500)]
    (x, _) = rate(votes, 100).systems
    assert 1400 < x.rating < 2200
    assert x.high - x.low > 800  # how much better it is cannot be known


def test_95_percent_intervals_cover() -> None:
    """200 simulated sessions of 400 votes on 100 images by raters who do not differ."""
    inside = [
        is_inside
        for seed in range(200)
        for is_inside in covered(rate(simulated(STRENGTHS, 400, 100, 1, seed), 200), STRENGTHS)
    ]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.03)


def test_intervals_hold_raters_who_differ() -> None:
    """12 raters whose tastes differ: over images alone, the intervals would cover some 70 %."""
    sessions = [simulated(STRENGTHS, 1200, 400, 12, seed, taste=0.5) for seed in range(30)]
    inside = [is_inside for votes in sessions for is_inside in covered(rate(votes, 200), STRENGTHS)]
    as_one = [[Vote(v.image, v.a, v.b, v.winner) for v in votes] for votes in sessions]
    alone = [is_inside for votes in as_one for is_inside in covered(rate(votes, 200), STRENGTHS)]
    assert np.mean(alone) < 0.85 < np.mean(inside)


def test_systems_that_no_vote_connects_are_named() -> None:
    votes = [Vote("1", "x", "y", "a"), Vote("1", "z", "w", "a")]
    assert rate(votes, 100).unconnected == [["w", "z"], ["x", "y"]]
    assert rate([*votes, Vote("1", "y", "z", "tie")], 100).unconnected == []


def test_how_many_votes_would_separate_two_systems() -> None:
    strengths = np.array([0.25, 0.0])
    votes = simulated(strengths, 200, 10_000, 1, seed=6)
    (gap,) = rate(votes).gaps
    assert not gap.is_separated
    assert gap.more_votes is not None
    # The same votes again and again keep the difference, and narrow its interval.
    times = 1 + gap.more_votes / len(votes)
    (more,) = rate([replace(vote, image=f"{vote.image}-{n}") for n in range(10) for vote in votes]).gaps
    assert more.difference - (more.difference - more.low) * math.sqrt(10 / times) == pytest.approx(0, abs=5)


def test_without_answers_there_is_nothing_to_rate() -> None:
    with pytest.raises(DataError, match="no votes"):
        rate([Vote("1", "x", "y", "skip")])


votes_between = st.lists(
    st.tuples(st.sampled_from("xyz"), st.sampled_from("xyz"), st.sampled_from(["a", "b", "tie"])),
    min_size=1,
    max_size=30,
).map(lambda votes: [Vote(str(n), *vote) for n, vote in enumerate(votes) if vote[0] != vote[1]])


@given(votes_between.filter(bool))
def test_any_votes_can_be_rated(votes: list[Vote]) -> None:
    ratings = rate(votes, 100)
    assert np.mean([one.rating for one in ratings.systems]) == pytest.approx(MEAN)
    assert all(one.low <= one.rating <= one.high for one in ratings.systems)
    assert ratings.wins.sum() == pytest.approx(len(votes))


@given(votes_between.filter(bool))
def test_the_sides_make_no_difference(votes: list[Vote]) -> None:
    swapped = [
        Vote(v.image, v.b, v.a, {"a": "b", "b": "a"}.get(v.winner, v.winner))  # type: ignore[arg-type]
        for v in votes
    ]
    first, second = rate(votes, 100), rate(swapped, 100)
    assert [one.rating for one in first.systems] == pytest.approx([one.rating for one in second.systems])


def test_many_ratings_at_once_are_those_of_each_alone() -> None:
    random = np.random.default_rng(0)
    wins = random.integers(0, 20, (10, 5, 5)).astype(float)
    together = ratings_of(wins)
    assert np.allclose(together, [ratings_of(one) for one in wins], atol=1e-6)


def test_thumbs_ratings_as_votes_give_the_peoples_order(real_data: Path) -> None:
    """THumB: the caption with the higher total wins. The mean totals put the systems in the same order."""
    lines = (real_data / "judgements" / "thumb" / "mscoco_THumB-1.0.jsonl").read_text().splitlines()
    totals: dict[str, dict[str, float]] = defaultdict(dict)
    for line in map(json.loads, lines):
        totals[line["seg_id"]][line["SYS"]] = line["human_score"]
    votes = [
        Vote(image, a, b, "a" if by[a] > by[b] else "b" if by[b] > by[a] else "tie")
        for image, by in totals.items()
        for a, b in combinations(sorted(by), 2)
    ]
    names = {name for by in totals.values() for name in by}
    means = {name: np.mean([by[name] for by in totals.values()]) for name in names}
    ratings = rate(votes)
    assert [one.system for one in ratings.systems] == sorted(means, key=lambda name: -means[name])
    assert ratings.systems[0].rank == 1
    assert ratings.systems[0].low > ratings.systems[1].high  # people, far ahead of all systems
