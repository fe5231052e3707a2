"""Ratings from votes: the Bradley-Terry model, with intervals over images and raters.

System i wins against j with the probability 1 / (1 + exp(s_j - s_i)) (Bradley and Terry 1952,
https://doi.org/10.2307/2334029). A tie counts as half a win for each, as in Chatbot Arena (Chiang et al.
2024, https://arxiv.org/abs/2403.04132); so does a vote that both captions are bad. A rating is the strength
on Elo's scale: 400 points are odds of 10 to 1, and the mean of all systems is 1000.

    >>> votes = [Vote("1", "x", "y", "a"), Vote("2", "x", "y", "a"), Vote("3", "y", "x", "a")]
    >>> [(one.system, round(one.rating)) for one in rate(votes).systems]
    [('x', 1058), ('y', 942)]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluator.arena.votes import Vote
from evaluator.comparison.bootstrap import NORMAL, draw_counts
from evaluator.core import Array
from evaluator.core.errors import DataError

SCALE = 400 / math.log(10)
MEAN = 1000.0
# Half of it won and half of it lost by every system against one whose strength is 0: it keeps the rating of a
# system that won every vote finite.
PRIOR = 0.2
# With fewer raters, how much they differ cannot be estimated from their votes.
FEWEST_RATERS = 5
MOST_STEPS = 100
# An estimate that so many times the votes would separate two systems says nothing.
MOST_TIMES = 20


@dataclass(frozen=True)
class RatedSystem:
    """One system; `low` and `high` hold its rating, as far as images and raters are chance."""

    system: str
    rating: float
    low: float
    high: float
    rank: int  # 1 and the number of systems that are separated from it, and better
    votes: int
    won: int
    lost: int
    tied: int
    both_bad: int

    @property
    def points(self) -> float:
        """The rating, as a plot takes it."""
        return self.rating

    @property
    def interval_points(self) -> tuple[float, float]:
        return self.low, self.high


@dataclass(frozen=True)
class Gap:
    """Two systems that follow each other: how sure the order is."""

    better: str
    worse: str
    difference: float  # in points of the rating
    low: float  # with the interval's confidence for all pairs of systems at once
    high: float
    more_votes: int | None  # about how many votes of the same kind would separate them; None: very many

    @property
    def is_separated(self) -> bool:
        return self.low > 0


@dataclass(frozen=True)
class Ratings:
    """All systems, the best first, and how they were compared."""

    systems: Sequence[RatedSystem]
    gaps: Sequence[Gap]
    wins: Array  # [i, j]: how often system i won against system j, ties as one half; in the order of systems
    votes: int
    skipped: int
    images: int
    raters: int
    raters_resampled: bool
    unconnected: Sequence[Sequence[str]]  # groups of systems without a vote between them; empty: there is one
    confidence: float


def rate(votes: Sequence[Vote], resamples: int = 1000, confidence: float = 0.95, seed: int = 0) -> Ratings:
    """The ratings of the systems in these votes. Raises DataError where no vote decides anything."""
    answered = [vote for vote in votes if vote.is_answer]
    if not answered:
        raise DataError("there are no votes to rate")
    names = sorted({name for vote in answered for name in (vote.a, vote.b)})
    wins = win_rows(answered, names)
    total = wins.sum(axis=0).reshape(len(names), len(names))
    ratings = ratings_of(total)
    images = codes([vote.image for vote in answered])
    raters = codes([vote.rater for vote in answered])
    by_image = resampled(wins, images, resamples, seed)
    groups = int(images.max()) + 1
    width = math.sqrt(groups / max(1, groups - 1))  # a resample of few images varies less than they do
    if raters_resampled := raters.max() + 1 >= FEWEST_RATERS:
        by_rater = resampled(wins, raters, resamples, seed + 1)
        by_both = resampled(wins, codes(list(zip(images, raters, strict=True))), resamples, seed + 2)
        width *= widening(by_image, by_rater, by_both)
    order = np.argsort(-ratings, kind="stable")
    model = covariance_of(total, ratings)
    differences = Differences.of(ratings, by_image, model, width, confidence)
    errors = np.sqrt(np.maximum(by_image.var(axis=0), np.diagonal(model))) * width
    reach = NORMAL.inv_cdf((1 + confidence) / 2) * errors
    systems = []
    for index in order:
        name, rating = names[index], float(ratings[index])
        own = [vote for vote in answered if name in (vote.a, vote.b)]
        systems.append(
            RatedSystem(
                name,
                rating,
                rating - float(reach[index]),
                rating + float(reach[index]),
                1 + int(np.count_nonzero(differences.low[:, index] > 0)),
                votes=len(own),
                won=sum(vote.preferred == name for vote in own),
                lost=sum(vote.preferred not in (name, "tie", "both_bad") for vote in own),
                tied=sum(vote.winner == "tie" for vote in own),
                both_bad=sum(vote.winner == "both_bad" for vote in own),
            )
        )
    return Ratings(
        systems,
        [differences.gap(names, *pair, votes=len(answered)) for pair in pairwise(order)],
        total[np.ix_(order, order)],
        len(answered),
        len(votes) - len(answered),
        int(images.max()) + 1,
        int(raters.max()) + 1,
        bool(raters_resampled),
        unconnected(total, names),
        confidence,
    )


def codes(values: Sequence[object]) -> NDArray[np.intp]:
    """A number for each distinct value, in the order of their first appearance."""
    found: dict[object, int] = {}
    return np.array([found.setdefault(value, len(found)) for value in values], np.intp)


def win_rows(votes: Sequence[Vote], names: Sequence[str]) -> Any:
    """(votes, systems x systems), sparse: what each vote adds to the wins [i, j] of i against j."""
    from scipy.sparse import csr_array

    index = {name: number for number, name in enumerate(names)}
    a, b = (
        np.array([index[name] for name in side]) for side in zip(*((v.a, v.b) for v in votes), strict=True)
    )
    of_a = np.array([vote.win_of_a for vote in votes])
    rows, count = np.arange(len(votes)), len(names)
    cells = np.concatenate([a * count + b, b * count + a])
    places = np.concatenate([rows, rows]), cells
    return csr_array((np.concatenate([of_a, 1 - of_a]), places), shape=(len(votes), count**2))


def ratings_of(wins: Array) -> Array:
    """The rating of each system, (..., systems), from wins (..., systems, systems) of one against another.

    The most likely strengths under Bradley and Terry's model with the prior, by Newton's method, for all
    leading indexes at once.
    """
    played = wins + wins.swapaxes(-1, -2)
    won = wins.sum(axis=-1) + PRIOR / 2
    strengths = np.zeros(wins.shape[:-1])
    for _ in range(MOST_STEPS):
        expected = sigmoid(strengths[..., :, None] - strengths[..., None, :])
        gradient = won - (played * expected).sum(axis=-1) - PRIOR * sigmoid(strengths)
        step = np.linalg.solve(curvature(played, strengths), gradient[..., None])[..., 0]
        # Far from the maximum, a whole step may lead beyond it.
        largest = np.abs(step).max(axis=-1, keepdims=True)
        strengths = strengths + step / np.maximum(1.0, largest)
        if largest.max() < 1e-9:
            break
    centred: Array = strengths - strengths.mean(axis=-1, keepdims=True)
    return MEAN + SCALE * centred


def curvature(played: Array, strengths: Array) -> Array:
    """The negative second derivatives of the log-likelihood, (..., systems, systems)."""
    expected = sigmoid(strengths[..., :, None] - strengths[..., None, :])
    second = -played * expected * (1 - expected)
    index = np.arange(strengths.shape[-1])
    second[..., index, index] = 0.0
    against_prior = sigmoid(strengths)
    second[..., index, index] = PRIOR * against_prior * (1 - against_prior) - second.sum(axis=-1)
    return second


def covariance_of(wins: Array, ratings: Array) -> Array:
    """The covariances of the ratings by the model, if all votes were independent.

    No resample varies for a system that won every vote; the model knows how little that says.
    """
    inverse = np.linalg.inv(curvature(wins + wins.T, (ratings - MEAN) / SCALE))
    centring = np.eye(len(ratings)) - 1 / len(ratings)
    covariance: Array = SCALE**2 * centring @ inverse @ centring
    return covariance


def sigmoid(values: Array) -> Array:
    shares: Array = 1 / (1 + np.exp(-values))
    return shares


def resampled(wins: Any, groups: NDArray[np.intp], resamples: int, seed: int) -> Array:
    """The ratings, (resamples, systems), where groups of votes are drawn with replacement."""
    from scipy.sparse import csr_array

    votes, count = wins.shape[0], math.isqrt(wins.shape[1])
    of_group = csr_array((np.ones(votes), (groups, np.arange(votes)))) @ wins
    drawn = [
        ratings_of((counts @ of_group).reshape(-1, count, count))
        for counts in draw_counts(of_group.shape[0], resamples, seed)
    ]
    return np.concatenate(drawn)


def widening(by_image: Array, by_rater: Array, by_both: Array) -> float:
    """By how much raters widen the intervals over images.

    The variance of two crossed groupings is the sum of that of each, less that of both together (Cameron,
    Gelbach and Miller 2011, https://doi.org/10.1198/jbes.2010.07136). One factor serves all systems: single
    variances are too uncertain.
    """
    of_images, of_raters, of_both = (float(one.var(axis=0).sum()) for one in (by_image, by_rater, by_both))
    return math.sqrt(max(1.0, (of_images + of_raters - of_both) / of_images)) if of_images else 1.0


@dataclass(frozen=True)
class Differences:
    """Each system's rating less each other's, with intervals that hold for all pairs at once."""

    values: Array  # [i, j]: by how much i is better than j
    low: Array
    high: Array

    @classmethod
    def of(cls, ratings: Array, drawn: Array, model: Array, width: float, confidence: float) -> Differences:
        """The largest deviation of all pairs in a resample, in standard errors, decides how wide they are."""
        values = ratings[:, None] - ratings[None, :]
        deviations = drawn[:, :, None] - drawn[:, None, :] - values
        variances = np.diagonal(model)
        by_model = variances[:, None] + variances[None, :] - 2 * model
        errors = np.sqrt(np.maximum(deviations.var(axis=0), by_model))
        with np.errstate(divide="ignore", invalid="ignore"):
            largest = np.nan_to_num(np.abs(deviations) / errors).max(axis=(1, 2))
        reach = float(np.quantile(largest, confidence)) * errors * width
        return cls(values, values - reach, values + reach)

    def gap(self, names: Sequence[str], better: int, worse: int, votes: int) -> Gap:
        difference, low = float(self.values[better, worse]), float(self.low[better, worse])
        times = ((difference - low) / difference) ** 2 if difference > 0 else math.inf
        return Gap(
            names[better],
            names[worse],
            difference,
            low,
            float(self.high[better, worse]),
            math.ceil(votes * (times - 1)) if low <= 0 and times < MOST_TIMES else None,
        )


def unconnected(wins: Array, names: Sequence[str]) -> list[list[str]]:
    """Groups of systems that no vote connects; none where there is one group."""
    from scipy.sparse.csgraph import connected_components

    count, labels = connected_components(wins + wins.T, directed=False)
    if count == 1:
        return []
    return [
        [name for name, label in zip(names, labels, strict=True) if label == group] for group in range(count)
    ]
