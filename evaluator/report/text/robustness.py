"""The table of what perturbed pictures cost on each metric."""

from __future__ import annotations

from evaluator.comparison.comparison import Comparison
from evaluator.comparison.robustness import drops
from evaluator.report.text.table import Cell, TextTable


def robustness_table(comparison: Comparison) -> TextTable | None:
    """None where no perturbed run is compared with the same run over the pictures as they are."""
    found = drops(comparison)
    if not found:
        return None
    metrics = list(dict.fromkeys(metric for drop in found for metric in drop.differences))
    rows = [
        [
            Cell(drop.plain.label),
            Cell(drop.perturbation.kind),
            Cell(str(drop.perturbation.severity)),
            *(Cell(points(drop.differences.get(metric))) for metric in metrics),
            Cell(points(100 * (drop.row.results.coverage - drop.plain.results.coverage))),
        ]
        for drop in found
    ]
    caption = "what perturbed pictures add to each score, in points"
    return TextTable(["run", "perturbation", "severity", *metrics, "coverage"], rows, caption, left=2)


def points(difference: float | None) -> str:
    """A difference with its sign.

    >>> points(-12.34), points(None), points(-0.01)
    ('-12.3', '', '0.0')
    """
    if difference is None:
        return ""
    return "0.0" if abs(difference) < 0.05 else f"{difference:+.1f}"
