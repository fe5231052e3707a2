"""Whether one system is better than another on the same images, and how many images it takes to tell.

Systems that captioned the same images are compared image by image: what makes an image hard is hard for all
of them, and drops out. The test is approximate randomisation (Noreen 1989; Riezler and Maxwell 2005,
https://aclanthology.org/W05-0908): if there were no difference, swapping two systems' captions of any images
would change nothing. It works on sums of statistics, so a corpus score is tested as a corpus score.

The more pairs of systems are tested, the larger the largest of their differences is by chance alone. A
difference is therefore measured in its own standard errors and compared with the *largest* of all pairs'
differences under the same swaps (the single-step maxT method: Westfall and Young 1993, Resampling-Based
Multiple Testing; Romano and Wolf 2005). So 1,000 swaps suffice for any number of systems, where a correction
that multiplies each p-value needs more swaps for each further pair.

The interval of a difference is the same test turned round: the difference, plus and minus its standard error
times the size that the largest difference exceeds by chance in 5 % of the swaps. All intervals of a family
hold together at that confidence, and an interval excludes zero exactly where the difference is significant.

    >>> from evaluator.core import Signature
    >>> values = np.arange(200.0) % 7
    >>> better = Measurement("m", np.column_stack([values + 0.5, np.ones(200)]), "mean", Signature("m"))
    >>> worse = Measurement("m", np.column_stack([values, np.ones(200)]), "mean", Signature("m"))
    >>> ((found,),) = differences([Family([better, worse])])
    >>> found.value, found.low > 0, p_value_text(found.p_value)
    (0.5, True, 'p < 0.001')
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluator.comparison.bootstrap import NORMAL, block_sizes, leave_one_out, number_of_images
from evaluator.core import AGGREGATES, Array, Measurement
from evaluator.core.results import WithInterval

# Sums in another order differ in their last digits, and are not larger for that.
SAME = 1 - 1e-9


@dataclass(frozen=True)
class Difference(WithInterval):
    """One score minus another's, on the score's own scale, over the same images."""

    metric: str
    value: float
    low: float
    high: float
    p_value: float  # two-sided, of this pair alone
    p_corrected: float  # for all pairs of the family
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


@dataclass(frozen=True)
class Family:
    """One metric of several systems over the same images, row by row, and which pairs of them are tested."""

    systems: Sequence[Measurement]
    pairs: Sequence[tuple[int, int]] = ((0, 1),)  # indices of `systems`


def differences(
    families: Sequence[Family], resamples: int = 1000, confidence: float = 0.95, seed: int = 0
) -> list[list[Difference]]:
    """For each family the difference of each of its pairs. All of them share the same swaps.

    Intervals and corrected p-values hold for all pairs of a family together, at `confidence`.
    """
    everything = [one for family in families for one in family.systems]
    swaps = number_of_swaps(resamples, confidence)
    sums = iter(swapped_sums(everything, differing_images(families), swaps, seed))
    return [
        family_differences(family, [next(sums) for _ in family.systems], confidence) for family in families
    ]


def number_of_swaps(resamples: int, confidence: float) -> int:
    """As many as the bootstrap's resamples, and enough for p-values well below 1 - `confidence`.

    >>> number_of_swaps(100, 0.95), number_of_swaps(1000, 0.9999)
    (1000, 50000)
    """
    return max(resamples, 1000, round(5 / (1 - confidence)))


def differing_images(families: Sequence[Family]) -> NDArray[np.intp]:
    """The images on which systems differ: swapping any other changes nothing."""
    images = number_of_images([one for family in families for one in family.systems])
    differ = np.zeros(images, np.bool_)
    for family in families:
        first = family.systems[0].statistics
        for one in family.systems[1:]:
            alike = one.statistics.shape == first.shape
            differ |= (one.statistics != first).any(axis=1) if alike else np.ones(images, np.bool_)
    return np.flatnonzero(differ)


def swapped_sums(
    measurements: Sequence[Measurement], images: NDArray[np.intp], swaps: int, seed: int
) -> list[Array]:
    """What each measurement's swapped rows of these images sum to, (swaps, K) each; one matrix product.

    Metrics that share their statistics, as BLEU-1 to BLEU-4 do, share their sums.
    """
    keys = [hashlib.blake2b(one.statistics.tobytes()).digest() for one in measurements]
    distinct = {key: one.statistics[images] for key, one in zip(keys, measurements, strict=True)}
    if not distinct:
        return []
    rows = np.hstack(list(distinct.values()))
    sums = np.concatenate([swapped @ rows for swapped in draw_swaps(len(images), swaps, seed)])
    ends = np.cumsum([each.shape[1] for each in distinct.values()])[:-1]
    sums_of = dict(zip(distinct, np.split(sums, ends, axis=1), strict=True))
    return [sums_of[key] for key in keys]


def draw_swaps(images: int, swaps: int, seed: int) -> Iterator[Array]:
    """Which images are swapped, 0 or 1, in blocks of (some swaps, images)."""
    generator = np.random.default_rng([seed, 1])  # other numbers than the bootstrap's
    for rows in block_sizes(swaps, images):
        bits = np.frombuffer(generator.bytes(rows * (images // 8 + 1)), np.uint8).reshape(rows, -1)
        yield np.unpackbits(bits, axis=1, count=images).astype(np.float64)


def family_differences(family: Family, sums: Sequence[Array], confidence: float) -> list[Difference]:
    """The differences of a family's pairs, from what each system's swapped rows sum to."""
    if not family.pairs:
        return []
    values = [one.value for one in family.systems]
    per_image = [one.oriented for one in family.systems]
    images = len(per_image[0])
    observed = np.array([values[one] - values[other] for one, other in family.pairs])
    swapped = swapped_differences(family, sums)
    spread = np.sqrt((swapped**2).mean(axis=0))
    errors = np.maximum(spread * shrinkage(observed, spread, images), jackknife_errors(family))
    sizes = sizes_of(observed, errors)
    sizes_by_chance = sizes_of(swapped, spread * shrinkage(swapped, spread, images))
    largest = np.sort(sizes_by_chance.max(axis=1))
    limit = critical_size(largest, confidence)
    found = []
    for index, (one, other) in enumerate(family.pairs):
        value, size = float(observed[index]), sizes[index]
        corrected = share_reaching(size, largest)
        half = float(limit * errors[index])
        if corrected >= 1 - confidence:
            half = max(half, abs(value))  # the two are equal but for their last digits
        gained = per_image[one] - per_image[other]
        found.append(
            Difference(
                metric=family.systems[one].name,
                value=value,
                low=value - half,
                high=value + half,
                p_value=share_reaching(size, np.sort(sizes_by_chance[:, index])),
                p_corrected=corrected,
                standard_error=float(errors[index]),
                images=images,
                wins=int((gained > 0).sum()),
                ties=int((gained == 0).sum()),
                losses=int((gained < 0).sum()),
                higher_is_better=family.systems[one].higher_is_better,
            )
        )
    return found


def swapped_differences(family: Family, sums: Sequence[Array]) -> Array:
    """Each pair's difference under each swap of its captions, (swaps, pairs); 0 where there is no score."""
    totals = [one.statistics.sum(axis=0) for one in family.systems]
    swapped = np.empty((len(sums[0]), len(family.pairs)))
    for index, (one, other) in enumerate(family.pairs):
        aggregate, moved = AGGREGATES[family.systems[one].aggregate], sums[other] - sums[one]
        swapped[:, index] = aggregate(totals[one] + moved) - aggregate(totals[other] - moved)
    return np.nan_to_num(swapped)


def jackknife_errors(family: Family) -> Array:
    """The standard error of each pair's difference, from the scores without one image each (pairs,).

    For a mean it is what `shrinkage` makes of the spread under swaps. For a corpus score such as BLEU it is
    also right where two systems differ much: there the swaps mix long captions with short ones.
    """
    images = len(family.systems[0].statistics)
    without_one = list(map(leave_one_out, family.systems))
    return np.array(
        [
            np.nan_to_num((images - 1) / np.sqrt(images) * np.std(without_one[one] - without_one[other]))
            for one, other in family.pairs
        ]
    )


def sizes_of(differences: Array, errors: Array) -> Array:
    """The size of each difference in its standard errors; 0 for what is not known or never varies."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(np.abs(differences) / errors, nan=0.0, posinf=0.0)


def shrinkage(differences: Array, spread: Array, images: int) -> Array:
    """The standard error of a difference, as a share of its spread under swaps.

    Swaps vary around zero: their spread includes the difference itself, its standard error does not. For a
    mean over N images it is sqrt(1 - (difference / spread)^2 / N). It is never less than sqrt(1 / N), so that
    equal differences on a few images are not taken for certain.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 1 - (differences / spread) ** 2 / images
    return np.sqrt(np.maximum(np.nan_to_num(share, nan=1.0, neginf=0.0), 1 / images))


def share_reaching(size: float, by_chance: Array) -> float:
    """The p-value: the share of the swaps, and of none, that reach this size; `by_chance` is sorted."""
    reaching = len(by_chance) - int(np.searchsorted(by_chance, size * SAME))
    return (1 + reaching) / (1 + len(by_chance))


def critical_size(by_chance: Array, confidence: float) -> float:
    """The largest size that is not significant: a larger one has a p-value below 1 - `confidence`."""
    allowed = int(np.ceil((1 - confidence) * (1 + len(by_chance)))) - 2
    return float(by_chance[-1 - max(0, allowed)])


def p_value_text(p_value: float) -> str:
    """With two significant digits, and never as zero.

    >>> p_value_text(1 / 1001), p_value_text(0.034), p_value_text(1.0)
    ('p < 0.001', 'p = 0.034', 'p = 1')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


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
