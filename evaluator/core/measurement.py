"""Measurements: one row of sufficient statistics per image, and the aggregate that turns rows into a score.

A corpus score is the aggregate of the summed rows, a per-image score is the aggregate of one row, and a
bootstrap resample is the aggregate of a weighted sum:

    >>> lengths = Measurement("words", np.array([[9.0, 1.0], [12.0, 1.0]]), "mean", Signature("words"))
    >>> float(lengths.value), lengths.per_image.tolist()
    (10.5, [9.0, 12.0])
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from evaluator.core.aggregates import AGGREGATES
from evaluator.core.arrays import Array
from evaluator.core.cut_off import is_cut_off
from evaluator.core.metrics import in_points
from evaluator.core.signature import Signature


@dataclass(frozen=True, eq=False)
class Measurement:
    """One metric over N captioned images: statistics (N, K) and the name of their aggregate.

    A row of zeros is an image that could not be scored: NaN for itself, absent from the sum.
    """

    name: str
    statistics: Array = field(repr=False)
    aggregate: str
    signature: Signature
    higher_is_better: bool = True
    notes: Sequence[str] = field(default=(), repr=False)  # why, for each image or for none; "" where unknown

    def __post_init__(self) -> None:
        # A scorer of one's own may give its signature as plain text.
        object.__setattr__(self, "signature", Signature(self.signature))
        if self.notes and len(self.notes) != len(self.statistics):
            raise ValueError(f"{self.name} has {len(self.statistics)} rows and {len(self.notes)} notes")

    @property
    def value(self) -> float:
        """The corpus score, on the reference program's scale."""
        return float(AGGREGATES[self.aggregate](self.statistics.sum(axis=0)))

    @property
    def points(self) -> float:
        return in_points(self.value)

    @property
    def per_image(self) -> Array:
        """The score of each image alone, (N,)."""
        return AGGREGATES[self.aggregate](self.statistics)

    @property
    def oriented(self) -> Array:
        """The same, with its sign turned where a lower score is better."""
        return self.per_image if self.higher_is_better else -self.per_image

    def of(self, rows: Sequence[int] | NDArray[np.integer]) -> Measurement:
        """The measurement of some of the images, by their rows; its signature is still that of all."""
        notes = [self.notes[row] for row in rows] if self.notes else ()
        return replace(self, statistics=self.statistics[rows], notes=notes)

    @property
    def cut_off(self) -> int:
        """How many captions were longer than the metric can read, by its notes."""
        return sum(map(is_cut_off, self.notes))

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Which images could be scored, (N,)."""
        return np.asarray(self.statistics.any(axis=-1))
