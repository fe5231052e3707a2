"""Whether one system is better than another on the same images, and how many images it takes to tell.

Two systems that captioned the same images are compared image by image: what makes an image hard is hard for
both, and drops out. The interval of a difference comes from the paired bootstrap (Koehn 2004), its p-value
from approximate randomisation (Noreen 1989; Riezler and Maxwell 2005, https://aclanthology.org/W05-0908): if
there were no difference, swapping the two systems' captions of any images would change nothing. Both work on
sums of sufficient statistics, so a corpus score is tested as a corpus score.

    >>> from evaluator.core import Measurement
    >>> values = np.arange(200.0) % 7
    >>> better = Measurement("m", np.column_stack([values + 0.5, np.ones(200)]), "mean", "m")
    >>> worse = Measurement("m", np.column_stack([values, np.ones(200)]), "mean", "m")
    >>> (found,) = differences([better], [worse])
    >>> found.value, found.low, found.p_value < 0.01
    (0.5, 0.5, True)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluator.comparison.bootstrap import (
    BLOCK_CELLS,
    NORMAL,
    Method,
    bca_interval,
    bootstrap_scores,
    leave_one_out,
    number_of_images,
    percentile_interval,
)
from evaluator.core import AGGREGATES, Array, Measurement
from evaluator.core.metrics import in_points


@dataclass(frozen=True)
class Difference:
    """One score minus another's, on the score's own scale, over the same images."""

    metric: str
    value: float
    low: float
    high: float
    p_value: float  # two-sided
    standard_error: float
    images: int
    wins: int  # images with the higher score than the other's; the images alone, for corpus scores too
    ties: int
    losses: int
    higher_is_better: bool = True

    @property
    def gain(self) -> float:
        """The value, with its sign turned where a lower score is better."""
        return self.value if self.higher_is_better else -self.value

    @property
    def points(self) -> float:
        return in_points(self.value)

    @property
    def interval_points(self) -> tuple[float, float]:
        return in_points(self.low), in_points(self.high)

    @property
    def reversed(self) -> Difference:
        """The same difference, seen from the other score."""
        return replace(
            self,
            value=0.0 - self.value,
            low=0.0 - self.high,
            high=0.0 - self.low,
            wins=self.losses,
            losses=self.wins,
        )


def differences(
    ours: Sequence[Measurement],
    theirs: Sequence[Measurement],
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    method: Method = "percentile",
) -> list[Difference]:
    """Each of our measurements minus theirs of the same name and the same images, row by row."""
    both = [*ours, *theirs]
    images = number_of_images(both)
    resampled = bootstrap_scores(both, resamples, seed)
    p_values = randomisation_p_values(ours, theirs, resamples, seed)
    measured = []
    for one, other, first, second, p_value in zip(
        ours, theirs, resampled[: len(ours)], resampled[len(ours) :], p_values, strict=True
    ):
        scores, value = first - second, one.value - other.value
        if method == "bca":
            left_out = leave_one_out(one) - leave_one_out(other)
            low, high = bca_interval(scores, value, left_out, confidence)
        else:
            low, high = percentile_interval(scores, confidence)
        gained = one.per_image - other.per_image
        gained = gained if one.higher_is_better else -gained
        measured.append(
            Difference(
                metric=one.name,
                value=value,
                low=low,
                high=high,
                p_value=p_value,
                standard_error=float(np.nanstd(scores)),
                images=images,
                wins=int((gained > 0).sum()),
                ties=int((gained == 0).sum()),
                losses=int((gained < 0).sum()),
                higher_is_better=one.higher_is_better,
            )
        )
    return measured


def randomisation_p_values(
    ours: Sequence[Measurement], theirs: Sequence[Measurement], resamples: int, seed: int
) -> list[float]:
    """Two-sided, for each pair of measurements; the same swaps for all of them.

    The share of random swaps, and of none, whose difference is as large as the observed one.
    """
    images = number_of_images([*ours, *theirs])
    reached = np.zeros(len(ours), np.int64)
    observed = np.array([abs(one.value - other.value) for one, other in zip(ours, theirs, strict=True)])
    gaps = [other.statistics - one.statistics for one, other in zip(ours, theirs, strict=True)]
    ends = np.cumsum([gap.shape[1] for gap in gaps])[:-1]
    for swapped in draw_swaps(images, resamples, seed):
        moved = np.split(swapped @ np.hstack(gaps), ends, axis=1) if gaps else []
        for index, (one, other, sums) in enumerate(zip(ours, theirs, moved, strict=True)):
            aggregate = AGGREGATES[one.aggregate]
            first = aggregate(one.statistics.sum(axis=0) + sums)
            second = aggregate(other.statistics.sum(axis=0) - sums)
            # Sums in another order differ in their last digits, and are not larger for that.
            reached[index] += np.count_nonzero(np.abs(first - second) >= observed[index] * (1 - 1e-9))
    return [float((count + 1) / (resamples + 1)) for count in reached]


def draw_swaps(images: int, resamples: int, seed: int) -> Iterator[Array]:
    """Which images are swapped, 0 or 1, in blocks of (some resamples, images)."""
    generator = np.random.default_rng([seed, 1])  # other numbers than the bootstrap's
    block = max(1, BLOCK_CELLS // max(1, images))
    for start in range(0, resamples, block):
        rows = min(block, resamples - start)
        bits = np.frombuffer(generator.bytes(rows * (images // 8 + 1)), np.uint8).reshape(rows, -1)
        yield np.unpackbits(bits, axis=1, count=images).astype(np.float64)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values corrected for having made them all (Holm 1979, A Simple Sequentially Rejective Procedure).

    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    corrected = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = largest
    return corrected


def detectable(standard_error: float, confidence: float = 0.95, power: float = 0.8) -> float:
    """The smallest true difference that a test of this size finds with probability `power`.

    For a difference that is about normally distributed: (z of confidence + z of power) standard errors.

    >>> round(detectable(1.0), 2)
    2.8
    """
    return (NORMAL.inv_cdf((1 + confidence) / 2) + NORMAL.inv_cdf(power)) * standard_error


def images_needed(
    difference: float, standard_error: float, images: int, confidence: float = 0.95, power: float = 0.8
) -> int | None:
    """How many images it takes to find this difference with probability `power`; None for none at all.

    The standard error falls with the square root of their number.

    >>> images_needed(1.0, 1.0, 500)
    3925
    """
    if difference == 0.0:
        return None
    return int(np.ceil(images * (detectable(standard_error, confidence, power) / difference) ** 2))


def rank_ranges(better: NDArray[Any]) -> list[tuple[int, int]]:
    """For each of n systems the ranks it may have: below all that are better, above all that are worse.

    `better` (n, n) holds at [i, j] whether i is better than j beyond doubt.

    >>> rank_ranges(np.array([[0, 0, 1], [0, 0, 1], [0, 0, 0]]))
    [(1, 2), (1, 2), (3, 3)]
    """
    above, below = better.sum(axis=0), better.sum(axis=1)
    return [(1 + int(a), len(above) - int(b)) for a, b in zip(above, below, strict=True)]
