"""The differences between every two runs: over the same images, with intervals, p-values and ranks.

Runs are compared on the images that all of them captioned, each metric where its signatures say that it was
computed in the same way in both. The pairs of a metric are one family: their intervals and p-values hold for
all of them together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations

import numpy as np

from evaluator.comparison.bootstrap import Method
from evaluator.comparison.paired_tests import Difference, Family, differences, rank_ranges
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

    def is_significant(self, metric: str, one: int, other: int) -> bool:
        """Whether a paired test tells the two runs apart: exactly where the interval excludes zero."""
        difference = self.difference(metric, one, other)
        return difference is not None and difference.p_corrected < 1 - self.confidence

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
    nothing = PairwiseDifferences(shared, confidence=resampling.confidence)
    metrics = dict.fromkeys(metric for measured in shared.measurements for metric in measured)
    tested = {metric: pairs for metric in metrics if (pairs := comparable_pairs(shared, metric))}
    if not tested or not shared.ids:
        return nothing
    families = []
    for metric, pairs in tested.items():
        runs_with_it = sorted({run for pair in pairs for run in pair})
        index_of = {run: index for index, run in enumerate(runs_with_it)}
        systems = [shared.measurements[run][metric] for run in runs_with_it]
        families.append(Family(systems, [(index_of[one], index_of[other]) for one, other in pairs]))
    measured = differences(families, resampling.resamples, resampling.confidence, resampling.seed)
    by_pair = {
        (metric, *pair): difference
        for (metric, pairs), found in zip(tested.items(), measured, strict=True)
        for pair, difference in zip(pairs, found, strict=True)
    }
    return replace(nothing, differences=by_pair)


def comparable_pairs(shared: SharedImages, metric: str) -> list[tuple[int, int]]:
    """Every two runs whose signatures say that the metric was computed in the same way."""
    having = [
        (run, measured[metric]) for run, measured in enumerate(shared.measurements) if metric in measured
    ]
    return [
        (one, other)
        for (one, first), (other, second) in combinations(having, 2)
        if first.signature.recipe == second.signature.recipe
    ]


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
    measurements = dict(run.measurements)
    if list(run.scored_ids) != list(ids):
        index_of = {item_id: index for index, item_id in enumerate(run.scored_ids)}
        rows = np.array([index_of[item_id] for item_id in ids], np.int64)
        measurements = {name: one.of(rows) for name, one in measurements.items()}
    measurements = {
        name: replace(one, signature=one.signature.over(len(ids))) for name, one in measurements.items()
    }
    if not are_all and ids:
        measurements |= {one.name: one for one in remeasure(run, ids) if one.name in measurements}
    return measurements
