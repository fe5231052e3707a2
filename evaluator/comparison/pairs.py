"""The differences between every two runs: over the same images, with intervals, p-values and ranks.

Runs are compared on the images that all of them captioned, each metric where its signatures say that it was
computed in the same way in both. All differences and tests share their resamples. P-values are corrected for
the number of pairs, metric by metric (Holm).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from evaluator.comparison.bootstrap import Method
from evaluator.comparison.paired_tests import Difference, differences, holm, rank_ranges
from evaluator.comparison.remeasure import remeasure
from evaluator.core import Measurement
from evaluator.store.run import Run

# A metric, and the indices of two runs among those compared.
Pair = tuple[str, int, int]


@dataclass(frozen=True)
class Resampling:
    """How intervals and p-values are computed."""

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0
    method: Method = "percentile"


@dataclass(frozen=True)
class SharedImages:
    """The images that all runs captioned, and each run's measurements over them, in the same order."""

    ids: tuple[str, ...] = ()
    measurements: tuple[Mapping[str, Measurement], ...] = ()
    own_images: tuple[int, ...] = ()  # how many images each run was scored on, shared or not

    @property
    def are_all(self) -> bool:
        """Whether every run with a caption was scored on these images and no others."""
        return all(own in (0, len(self.ids)) for own in self.own_images)


@dataclass(frozen=True)
class PairwiseDifferences:
    """The differences between runs. A run is given by its index among those compared."""

    shared: SharedImages = SharedImages()
    differences: Mapping[Pair, Difference] = field(default_factory=dict)
    p_values: Mapping[Pair, float] = field(default_factory=dict)  # corrected
    confidence: float = 0.95

    @property
    def ids(self) -> tuple[str, ...]:
        return self.shared.ids

    @property
    def images(self) -> int:
        return len(self.shared.ids)

    @property
    def measurements(self) -> tuple[Mapping[str, Measurement], ...]:
        return self.shared.measurements

    def difference(self, metric: str, one: int, other: int) -> Difference | None:
        """The score of one run minus the other's; None where they cannot be compared."""
        if (metric, one, other) in self.differences:
            return self.differences[metric, one, other]
        mirrored = self.differences.get((metric, other, one))
        return None if mirrored is None else mirrored.reversed

    def p_value(self, metric: str, one: int, other: int) -> float:
        """Corrected for all comparisons of this metric."""
        pair, mirrored = (metric, one, other), (metric, other, one)
        return self.p_values[pair] if pair in self.p_values else self.p_values[mirrored]

    def is_significant(self, metric: str, one: int, other: int) -> bool:
        """Whether a paired test tells the two runs apart, at the confidence of the intervals."""
        if self.difference(metric, one, other) is None:
            return False
        return self.p_value(metric, one, other) < 1 - self.confidence

    def ranks(self, metric: str) -> list[tuple[int, int] | None]:
        """The first and last rank that each run may have on this metric; None for those that lack it."""
        return self._ranks.get(metric) or [None] * len(self.measurements)

    @cached_property
    def _ranks(self) -> Mapping[str, list[tuple[int, int] | None]]:
        return {
            metric: self._ranks_on(metric) for metric in dict.fromkeys(pair[0] for pair in self.differences)
        }

    def _ranks_on(self, metric: str) -> list[tuple[int, int] | None]:
        runs = sorted({run for name, *pair in self.differences if name == metric for run in pair})
        better = np.zeros((len(runs), len(runs)), np.bool_)
        for i, one in enumerate(runs):
            for j, other in enumerate(runs):
                if i != j and (difference := self.difference(metric, one, other)):
                    better[i, j] = difference.gain > 0 and self.is_significant(metric, one, other)
        ranges = dict(zip(runs, rank_ranges(better), strict=True))
        return [ranges.get(run) for run in range(len(self.measurements))]


def compare_pairs(runs: Sequence[Run], resampling: Resampling) -> PairwiseDifferences:
    """Every two runs over the images that all of them captioned."""
    shared = shared_images(runs)
    pairs: list[Pair] = []
    ours, theirs = [], []
    for one, other in combinations(range(len(runs)), 2):
        for metric, first in shared.measurements[one].items():
            second = shared.measurements[other].get(metric)
            if second and first.signature.recipe == second.signature.recipe:
                pairs.append((metric, one, other))
                ours.append(first)
                theirs.append(second)
    nothing = PairwiseDifferences(shared, confidence=resampling.confidence)
    if not pairs or not shared.ids:
        return nothing
    measured = differences(
        ours, theirs, resampling.resamples, resampling.confidence, resampling.seed, resampling.method
    )
    by_pair = dict(zip(pairs, measured, strict=True))
    p_values: dict[Pair, float] = {}
    for metric in dict.fromkeys(metric for metric, _, _ in pairs):
        of_metric = [pair for pair in pairs if pair[0] == metric]
        p_values |= zip(of_metric, holm([by_pair[pair].p_value for pair in of_metric]), strict=True)
    return replace(nothing, differences=by_pair, p_values=p_values)


def shared_images(runs: Sequence[Run]) -> SharedImages:
    """Restrict each run's measurements to the images that all runs captioned.

    What depends on which images there are is measured again over these, so that signatures stay true. A run
    without a single caption takes no part: it would leave nothing to compare the others on.
    """
    with_captions = [run.scored_ids for run in runs if run.scored_ids]
    common = set.intersection(*map(set, with_captions)) if with_captions else set()
    ids = [item_id for item_id in with_captions[0] if item_id in common] if with_captions else []
    are_all = all(len(own) == len(ids) for own in with_captions)
    return SharedImages(
        tuple(ids),
        tuple(restricted(run, ids, are_all) for run in runs),
        tuple(len(run.scored_ids) for run in runs),
    )


def restricted(run: Run, ids: Sequence[str], are_all: bool) -> dict[str, Measurement]:
    """A run's measurements over some of its images, in their order."""
    if not run.scored_ids:
        return {}
    index_of = {item_id: index for index, item_id in enumerate(run.scored_ids)}
    rows = [index_of[item_id] for item_id in ids]
    measurements = {
        name: replace(one, statistics=one.statistics[rows], signature=one.signature.over(len(ids)))
        for name, one in run.measurements.items()
    }
    if not are_all and ids:
        measurements |= {one.name: one for one in remeasure(run, ids) if one.name in measurements}
    return measurements
