"""Kendall's tau of one sample and of its many bootstrap resamples. Numpy in, numbers out.

A resample only changes how often each observation counts, so the observations are sorted once. People's
ratings have few values: the values are split in two, each half again, and so on. At each split, the pairs
with one observation on each side are counted by a running sum over the lower side. This takes a tenth of the
time of sorting each resample anew.

    >>> pairs = OrderedPairs.of(np.array([0.1, 0.4, 0.4, 0.9]), np.array([1.0, 2.0, 1.0, 3.0]))
    >>> round(pairs.tau_b(np.ones(4)), 3), round(pairs.tau_c(np.ones(4)), 3)
    (0.8, 0.75)

tau-b: Kendall 1945, The Treatment of Ties in Ranking Problems; tau-c: Stuart 1953, The Estimation and
Comparison of Strengths of Association in Contingency Tables.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from evaluator.core import Array

Indices = NDArray[np.intp]


class Split(NamedTuple):
    """Observations with lower and with upper values of the split variable."""

    lower: Indices  # sorted by the other variable
    upper: Indices
    smaller: Indices  # for each upper one: how many of the lower ones have a smaller value
    not_larger: Indices  # how many have a smaller or the same value


@dataclass(frozen=True, eq=False)
class OrderedPairs:
    """N observations of two variables, prepared for any number of resamples."""

    splits: tuple[Split, ...]
    first: Indices  # the rank of each value, equal values share one: (N,)
    second: Indices

    @classmethod
    def of(cls, first: Array, second: Array) -> OrderedPairs:
        ranks, others = _ranks(first), _ranks(second)
        # Tau treats both variables alike; the one with fewer values is split.
        values, levels = (ranks, others) if ranks.max() >= others.max() else (others, ranks)
        everything = np.lexsort((values, levels))
        return cls(tuple(_splits(everything, values, levels)), ranks, others)

    def surplus(self, weights: Array) -> float:
        """Concordant minus discordant pairs, when each observation counts as often as its weight says."""
        total = 0.0
        for lower, upper, smaller, not_larger in self.splits:
            up_to = np.append(0.0, np.cumsum(weights[lower]))
            # Not by @: BLAS would use threads, which wait for each other where the cores are busy.
            total += np.einsum("i,i", weights[upper], up_to[smaller] + up_to[not_larger] - up_to[-1])
        return total

    def tau_b(self, weights: Array) -> float:
        """The surplus among the pairs that the variables order; NaN where one of them is constant."""
        pairs = _pairs(np.asarray(weights.sum()))
        ordered = (pairs - self._tied(self.first, weights)) * (pairs - self._tied(self.second, weights))
        return float(self.surplus(weights) / np.sqrt(ordered)) if ordered > 0 else float("nan")

    def tau_c(self, weights: Array) -> float:
        """The surplus among the pairs that so many equally frequent values would order; NaN for one value."""
        values = min(np.count_nonzero(np.bincount(ranks, weights)) for ranks in (self.first, self.second))
        if values < 2:
            return float("nan")
        return float(2 * self.surplus(weights) / (weights.sum() ** 2 * (values - 1) / values))

    @staticmethod
    def _tied(ranks: Indices, weights: Array) -> float:
        return float(_pairs(np.asarray(np.bincount(ranks, weights), np.float64)).sum())


def _splits(rows: Indices, values: Indices, levels: Indices) -> Iterator[Split]:
    """The splits of rows that are sorted by level, and within a level by value."""
    boundaries = np.flatnonzero(np.diff(levels[rows])) + 1
    if not len(boundaries):
        return
    middle = boundaries[np.abs(boundaries - len(rows) / 2).argmin()]
    lower, upper = rows[:middle], rows[middle:]
    by_value = lower[np.argsort(values[lower], kind="stable")]
    smaller = np.searchsorted(values[by_value], values[upper], "left")
    not_larger = np.searchsorted(values[by_value], values[upper], "right")
    yield Split(by_value, upper, smaller, not_larger)
    yield from _splits(lower, values, levels)
    yield from _splits(upper, values, levels)


def _pairs(count: Array) -> Array:
    return count * (count - 1) / 2


def _ranks(values: Array) -> Indices:
    return np.asarray(np.unique(values, return_inverse=True)[1], np.intp)
