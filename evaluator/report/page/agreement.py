"""How far the metrics agree on which captions are good: rank correlations of their scores of single images.

Spearman's coefficient (1904, https://doi.org/10.2307/1412159) within each run, over the images that all runs
captioned, averaged over the runs. Metrics that count the same words agree by construction; one that looks at
the picture may not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluator.comparison.compare import Comparison
from evaluator.core import Array, Measurement

# BLEU-1 to 3 say nearly what BLEU-4 says.
LEFT_OUT = ("BLEU-1", "BLEU-2", "BLEU-3")
FEWEST_IMAGES = 10


@dataclass(frozen=True)
class Agreement:
    """Metrics, and for each pair a coefficient from -1 to 1; None where a score never changes."""

    metrics: tuple[str, ...]
    coefficients: tuple[tuple[float | None, ...], ...]
    told: str


def agreement(comparison: Comparison) -> Agreement | None:
    """None where there are not two metrics, or too few images to tell."""
    measured = comparison.contrasts.measurements
    metrics = tuple(
        metric
        for metric in comparison.metrics
        if metric not in LEFT_OUT and any(metric in of_run for of_run in measured)
    )
    if len(metrics) < 2 or comparison.contrasts.images < FEWEST_IMAGES:
        return None
    tables = np.stack([correlations(of_run, metrics) for of_run in measured])
    known = (~np.isnan(tables)).sum(axis=0)
    means = np.where(known > 0, np.nansum(tables, axis=0) / np.maximum(known, 1), np.nan)
    coefficients = tuple(tuple(None if np.isnan(v) else float(v) for v in row) for row in means)
    pairs = [
        (value, one, other)
        for i, one in enumerate(metrics)
        for j, other in enumerate(metrics[:i])
        if (value := coefficients[i][j]) is not None
    ]
    if not pairs:
        return None
    (low, *low_pair), (high, *high_pair) = min(pairs), max(pairs)
    told = f"{' and '.join(high_pair)} agree most ({coefficient(high)})"
    if len(pairs) > 1:
        told += f", {' and '.join(low_pair)} least ({coefficient(low)})"
    return Agreement(metrics, coefficients, told)


def coefficient(value: float) -> str:
    """Two digits behind the point.

    >>> coefficient(0.748), coefficient(-0.001), coefficient(-0.25)
    ('0.75', '0.00', '−0.25')
    """
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def correlations(measured: Mapping[str, Measurement], metrics: tuple[str, ...]) -> Array:
    """Spearman's coefficient of each pair, (metrics, metrics); NaN where the run lacks one."""
    import pandas as pd

    scores = {
        metric: (1 if one.higher_is_better else -1) * one.per_image
        for metric in metrics
        if (one := measured.get(metric))
    }
    table = pd.DataFrame(scores).corr("spearman", min_periods=FEWEST_IMAGES)
    return table.reindex(index=list(metrics), columns=list(metrics)).to_numpy(np.float64)
