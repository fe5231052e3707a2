"""A sweep read as an experiment, in Markdown: the main effects as a table, the contests as a list."""

from __future__ import annotations

from evaluator.comparison.comparison import Comparison
from evaluator.comparison.experiment import contests, factors, main_effects
from evaluator.report.text.table import Cell, TextTable


def markdown(comparison: Comparison) -> str:
    """Empty where no choice differs between the runs, or no run has a score."""
    metric = comparison.lead_metric
    if metric is None or not factors(comparison):
        return ""
    rows = [
        (effect.factor, effect.choice, f"{effect.mean:.1f}", f"{effect.effect:+.1f}", str(effect.runs))
        for effect in main_effects(comparison, metric)
    ]
    headings = ["factor", "choice", f"mean {metric}", "effect", "runs"]
    table = TextTable(headings, [list(map(Cell, row)) for row in rows], left=2)
    lines = [table.markdown(), "", *(f"- {contest}" for contest in contests(comparison, metric))]
    return "\n".join(lines) + "\n"
