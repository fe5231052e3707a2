"""What is known of the differences between runs: over the same images, with intervals, p-values and ranks.

Runs are compared on the images that all of them captioned, each metric where its signature says that it was
computed in the same way in both. All differences and tests share their resamples; p-values are corrected for
their number, metric by metric (Holm).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from evaluator.comparison.bootstrap import Method
from evaluator.comparison.paired_tests import Difference, differences, holm, rank_ranges
from evaluator.core import Measurement
from evaluator.store.run_folder import RunFolder

# Computes a run's measurements anew over some of its images: CIDEr, whose weights depend on them.
Rescored = Callable[[RunFolder, Sequence[str]], Sequence[Measurement]]


@dataclass(frozen=True)
class Resampling:
    """How intervals and p-values are made."""

    resamples: int = 1000
    confidence: float = 0.95
    seed: int = 0
    method: Method = "percentile"


@dataclass(frozen=True)
class Contrasts:
    """The differences between runs, which go by their places among those compared."""

    ids: tuple[str, ...]  # of the images that all runs captioned
    measurements: tuple[Mapping[str, Measurement], ...]  # of each run, over those images
    found: Mapping[tuple[str, int, int], Difference] = field(default_factory=dict)
    corrected: Mapping[tuple[str, int, int], float] = field(default_factory=dict)  # p-values
    confidence: float = 0.95
    own_images: tuple[int, ...] = ()  # how many each run was scored on, shared or not

    @property
    def images(self) -> int:
        return len(self.ids)

    def difference(self, metric: str, one: int, other: int) -> Difference | None:
        """The score of one run minus another's; None where they cannot be compared."""
        if (metric, one, other) in self.found:
            return self.found[metric, one, other]
        mirrored = self.found.get((metric, other, one))
        return None if mirrored is None else turned(mirrored)

    def p_value(self, metric: str, one: int, other: int) -> float:
        """Corrected for all comparisons of this metric."""
        found = self.corrected
        return found[metric, one, other] if (metric, one, other) in found else found[metric, other, one]

    def ranks(self, metric: str) -> list[tuple[int, int] | None]:
        """The ranks that each run may have on this metric; None for those that have no part in it."""
        places = sorted({place for name, *pair in self.found if name == metric for place in pair})
        better = np.zeros((len(places), len(places)), np.bool_)
        for i, one in enumerate(places):
            for j, other in enumerate(places):
                if i != j and (difference := self.difference(metric, one, other)):
                    sure = self.p_value(metric, one, other) < 1 - self.confidence
                    better[i, j] = sure and difference.gain > 0
        of_place = dict(zip(places, rank_ranges(better), strict=True))
        return [of_place.get(place) for place in range(len(self.measurements))]


def turned(difference: Difference) -> Difference:
    """The same seen from the other side."""
    return replace(
        difference,
        value=0.0 - difference.value,
        low=0.0 - difference.high,
        high=0.0 - difference.low,
        wins=difference.losses,
        losses=difference.wins,
    )


def contrasts(
    runs: Sequence[RunFolder], resampling: Resampling | None = None, rescored: Rescored | None = None
) -> Contrasts:
    """Every pair of runs over the images that all of them captioned."""
    resampling = resampling or Resampling()
    shared, measurements, own_images = on_shared_images(runs, rescored)
    keys, ours, theirs = [], [], []
    for one, other in combinations(range(len(runs)), 2):
        for metric, first in measurements[one].items():
            second = measurements[other].get(metric)
            if second and recipe(first.signature) == recipe(second.signature):
                keys.append((metric, one, other))
                ours.append(first)
                theirs.append(second)
    nothing = Contrasts(tuple(shared), measurements, {}, {}, resampling.confidence, own_images)
    if not keys or not shared:
        return nothing
    found = differences(
        ours, theirs, resampling.resamples, resampling.confidence, resampling.seed, resampling.method
    )
    by_key = dict(zip(keys, found, strict=True))
    corrected: dict[tuple[str, int, int], float] = {}
    for metric in dict.fromkeys(metric for metric, _, _ in keys):
        own = [key for key in keys if key[0] == metric]
        corrected |= zip(own, holm([by_key[key].p_value for key in own]), strict=True)
    return replace(nothing, found=by_key, corrected=corrected)


def on_shared_images(
    runs: Sequence[RunFolder], rescored: Rescored | None = None
) -> tuple[list[str], tuple[dict[str, Measurement], ...], tuple[int, ...]]:
    """The images that all runs captioned, each run's measurements over them, in one order, and how many
    images each was scored on.

    A run without a single caption has no part in it: it would leave nothing to compare the others on.
    """
    loaded = [run.measurements() for run in runs]
    known = [ids for ids, _ in loaded if ids]
    common = set.intersection(*map(set, known)) if known else set()
    shared = [item_id for item_id in known[0] if item_id in common] if known else []
    measurements: list[dict[str, Measurement]] = []
    for run, (ids, measured) in zip(runs, loaded, strict=True):
        if not ids:
            measurements.append({})
            continue
        place_of = {item_id: place for place, item_id in enumerate(ids)}
        rows = [place_of[item_id] for item_id in shared]
        found = {
            one.name: replace(
                one, statistics=one.statistics[rows], signature=over(one.signature, len(shared))
            )
            for one in measured
        }
        if any(len(ids) != len(shared) for ids in known) and rescored and shared:
            found |= {one.name: one for one in rescored(run, shared) if one.name in found}
        measurements.append(found)
    return shared, tuple(measurements), tuple(len(ids) for ids, _ in loaded)


def over(signature: str, images: int) -> str:
    """The same recipe over so many images.

    >>> over("CIDEr|variant:D|images:5000|v:0.1.0", 10)
    'CIDEr|variant:D|images:10|v:0.1.0'
    """
    return re.sub(r"\|images:\d+", f"|images:{images}", signature)


def recipe(signature: str) -> str:
    """A signature without what depends on how many images got a caption.

    >>> recipe("CIDEr|variant:D|refs:5-6|images:4982|v:0.1.0")
    'CIDEr|variant:D|v:0.1.0'
    """
    return "|".join(part for part in signature.split("|") if not part.startswith(("images:", "refs:")))
