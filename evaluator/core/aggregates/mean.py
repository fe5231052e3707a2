"""The mean of what was measured."""

from __future__ import annotations

import numpy as np

from evaluator.core.arrays import Array

SUM, COUNT = 0, 1


def mean(rows: Array) -> Array:
    """Rows (..., 2) of (sum, count) -> (...): their mean, NaN where nothing was counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rows[..., SUM] / rows[..., COUNT])
