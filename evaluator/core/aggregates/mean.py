"""The mean of what was measured, also where each image was measured several times.

A row of `mean-of-draws` has a third number, the variance of the image's mean over its draws: the bootstrap
adds that spread to an interval (comparison/bootstrap.py), and the score itself does not need it. A `share` is
the mean of ones and zeros, which has an interval of its own there.
"""

from __future__ import annotations

import numpy as np

from evaluator.core.arrays import Array

SUM, COUNT, VARIANCE = 0, 1, 2


def mean(rows: Array) -> Array:
    """Rows (..., 2 or more) of (sum, count) -> (...): their mean, NaN where nothing was counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rows[..., SUM] / rows[..., COUNT])
