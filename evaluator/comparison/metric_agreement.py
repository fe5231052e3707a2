"""How far the metrics agree on which captions are good: rank correlations of their scores of single images.

Spearman's coefficient (1904, https://doi.org/10.2307/1412159) within each run, over the images that all runs
captioned, averaged over the runs. Metrics that count the same words agree by construction; one that looks at
the picture may not.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from evaluator.comparison.comparison import Comparison
from evaluator.core import Array, Measurement
from evaluator.core.metrics import metric_of

FEWEST_IMAGES = 10


@dataclass(frozen=True)
class Agreement:
    """Metrics, and for each pair a coefficient from -1 to 1; None where a score never changes."""

    metrics: tuple[str, ...]
    coefficients: tuple[tuple[float | None, ...], ...]
    description: str
    least: tuple[str, str]  # the two that agree least, in the order of `metrics`
    lowest: float  # their coefficient


def agreement(comparison: Comparison) -> Agreement | None:
    """None where there are not two metrics, or too few images to tell."""
    measured = comparison.pairs.measurements
    metrics = tuple(
        metric
        for metric in comparison.metrics
        if not metric_of(metric).covered_by and any(metric in of_run for of_run in measured)
    )
    if len(metrics) < 2 or comparison.pairs.images < FEWEST_IMAGES:
        return None
    tables = np.stack([correlations(of_run, metrics) for of_run in measured])
    counts = (~np.isnan(tables)).sum(axis=0)
    means = np.where(counts > 0, np.nansum(tables, axis=0) / np.maximum(counts, 1), np.nan)
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
    description = f"{' and '.join(high_pair)} agree most ({format_coefficient(high)})"
    if len(pairs) > 1:
        description += f", {' and '.join(low_pair)} agree least ({format_coefficient(low)})"
    return Agreement(metrics, coefficients, description, (low_pair[1], low_pair[0]), low)


def format_coefficient(value: float) -> str:
    """With two decimals.

    >>> format_coefficient(0.748), format_coefficient(-0.001), format_coefficient(-0.25)
    ('0.75', '0.00', '−0.25')
    """
    return f"{round(value, 2) + 0.0:.2f}".replace("-", "−")


def correlations(measured: Mapping[str, Measurement], metrics: Sequence[str]) -> Array:
    """Spearman's coefficient of each pair, (metrics, metrics); NaN where the run lacks a metric."""
    table = np.full((len(metrics), len(metrics)), np.nan)
    scores = {
        index: measurement.oriented
        for index, metric in enumerate(metrics)
        if (measurement := measured.get(metric))
    }
    for (i, one), (j, other) in product(scores.items(), repeat=2):
        table[i, j] = spearman(one, other)
    return table


def spearman(one: Array, other: Array) -> float:
    """Over the images with both scores; NaN where these are few, or one of the scores never changes."""
    both = ~np.isnan(one + other)
    if both.sum() < FEWEST_IMAGES:
        return math.nan
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.corrcoef(ranks(one[both]), ranks(other[both]))[0, 1])


def ranks(values: Array) -> Array:
    """From 1; equal values share the mean of their ranks. pandas, which has this, takes long to import."""
    _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_ranks: Array = np.cumsum(counts) - (counts - 1) / 2
    return mean_ranks[index]
