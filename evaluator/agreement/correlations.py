"""How a metric agrees with people, in one number. Numpy in, a number out.

Each statistic is prepared once for some observations and then computed for any resample of their images:

    >>> metric, people = np.array([0.1, 0.4, 0.3, 0.9]), np.array([1.0, 2.0, 2.0, 4.0])
    >>> observed = Observations(metric, people, image=np.array([0, 0, 1, 1]))
    >>> every_image_once = np.array([1, 1])
    >>> {name: round(prepare(observed)(every_image_once), 3) for name, prepare in STATISTICS.items()}
    ... # doctest: +NORMALIZE_WHITESPACE
    {'kendall_tau_c': 0.938, 'kendall_tau_b': 0.913, 'spearman': 0.949, 'pearson': 0.992,
     'pairwise_accuracy': 1.0, 'system_pearson': nan}

Kendall's tau compares all pairs of observations. tau-b leaves pairs out that metric or people do not order,
tau-c corrects for a scale of few values (Stuart 1953). Pairwise accuracy is the share of the pairs people
ordered, within an image, that the metric orders alike; a metric's tie is half right. The system statistic
correlates the systems' means.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluator.agreement.judgements import StatisticName
from evaluator.agreement.kendall import OrderedPairs
from evaluator.core import Array

Indices = NDArray[np.int64]
# From how often each image counts to the statistic; NaN where it is not defined.
Statistic = Callable[[Indices], float]

FEW_VALUES = 64  # up to here splitting the ratings takes less time than sorting each resample


@dataclass(frozen=True, eq=False)
class Observations:
    """N ratings: the metric's score and the people's, and of which image, pair and system each one is."""

    metric: Array
    people: Array
    image: Indices
    pair: Indices | None = None  # None: the captions of an image are compared with each other
    system: Indices | None = None

    @property
    def images(self) -> int:
        return int(self.image.max()) + 1

    def __post_init__(self) -> None:
        if not (np.isfinite(self.metric).all() and np.isfinite(self.people).all()):
            raise ValueError("scores and ratings must be finite numbers")


def kendall_tau_b(observed: Observations) -> Statistic:
    return kendall_tau(observed, "b")


def kendall_tau_c(observed: Observations) -> Statistic:
    return kendall_tau(observed, "c")


def kendall_tau(observed: Observations, variant: Literal["b", "c"]) -> Statistic:
    if len(np.unique(observed.people)) <= FEW_VALUES:
        pairs = OrderedPairs.of(observed.metric, observed.people)
        tau = pairs.tau_b if variant == "b" else pairs.tau_c
        return lambda counts: tau(counts[observed.image].astype(np.float64))

    from scipy.stats import kendalltau

    def of(counts: Indices) -> float:
        times = counts[observed.image]
        metric, people = np.repeat(observed.metric, times), np.repeat(observed.people, times)
        return float(kendalltau(metric, people, variant=variant).statistic)

    return of


def spearman(observed: Observations) -> Statistic:
    from scipy.stats import rankdata

    def of(counts: Indices) -> float:
        times = counts[observed.image]
        return correlation(
            rankdata(np.repeat(observed.metric, times)), rankdata(np.repeat(observed.people, times))
        )

    return of


def pearson(observed: Observations) -> Statistic:
    def of(counts: Indices) -> float:
        weights = counts[observed.image].astype(np.float64)
        return correlation(observed.metric, observed.people, weights)

    return of


def pairwise_accuracy(observed: Observations) -> Statistic:
    right, image = pair_outcomes(observed)

    def of(counts: Indices) -> float:
        weights = counts[image]
        return float(weights @ right / weights.sum()) if weights.sum() else float("nan")

    return of


def pair_outcomes(observed: Observations) -> tuple[Array, Indices]:
    """Of each pair that people ordered: 1, 0.5 or 0 for a metric that is right, tied or wrong; its image."""
    within = observed.image if observed.pair is None else observed.pair
    order = np.argsort(within, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(within[order])) + 1)
    firsts, seconds = [], []
    for rows in groups:
        one, other = np.triu_indices(len(rows), 1)
        firsts.append(rows[one])
        seconds.append(rows[other])
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    gap = np.sign(observed.people[first] - observed.people[second])
    ordered = gap != 0
    agrees = np.sign(observed.metric[first] - observed.metric[second])[ordered] * gap[ordered]
    return (agrees + 1) / 2, observed.image[first][ordered]


def system_pearson(observed: Observations) -> Statistic:
    """Of the systems' mean scores and mean ratings; NaN for fewer than three systems."""

    def of(counts: Indices) -> float:
        if observed.system is None or observed.system.max() < 2:
            return float("nan")
        weights = counts[observed.image].astype(np.float64)
        scores, ratings = (
            system_means(values, observed.system, weights) for values in (observed.metric, observed.people)
        )
        return correlation(scores, ratings)

    return of


def system_means(values: Array, system: Indices, weights: Array) -> Array:
    """The weighted mean of each system's values, (systems,)."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.bincount(system, weights * values) / np.bincount(system, weights))


def correlation(first: Array, second: Array, weights: Array | None = None) -> float:
    """Pearson's r; NaN where one of them is constant."""
    weights = np.ones(len(first)) if weights is None else weights
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # fewer than two observations
        covariance = np.cov(first, second, aweights=weights, bias=True)
        return float(covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1]))


STATISTICS: Mapping[StatisticName, Callable[[Observations], Statistic]] = MappingProxyType(
    {
        "kendall_tau_c": kendall_tau_c,
        "kendall_tau_b": kendall_tau_b,
        "spearman": spearman,
        "pearson": pearson,
        "pairwise_accuracy": pairwise_accuracy,
        "system_pearson": system_pearson,
    }
)
