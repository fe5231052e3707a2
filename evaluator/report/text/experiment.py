"""A sweep read as an experiment: the main effects as a table, the contests as a list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from evaluator.comparison.comparison import Comparison
from evaluator.comparison.experiment import contests, factors, main_effects
from evaluator.report.leaderboard import lead_notes
from evaluator.report.text.escape import markdown_text
from evaluator.report.text.table import Cell, TextTable

if TYPE_CHECKING:
    from rich.console import RenderableType


def effects_table(comparison: Comparison) -> TextTable | None:
    """None where no choice differs between the runs, or no run has a score."""
    metric = comparison.lead_metric
    if metric is None or not factors(comparison):
        return None
    rows = [
        (effect.factor, effect.choice, f"{effect.mean:.1f}", f"{effect.effect:+.1f}", str(effect.runs))
        for effect in main_effects(comparison, metric)
    ]
    headings = ["factor", "choice", f"mean {metric}", "effect", "runs"]
    caption = "what each choice adds to the mean of all runs, in points"
    return TextTable(headings, [list(map(Cell, row)) for row in rows], caption, left=2)


def outcomes(comparison: Comparison) -> list[str]:
    """Who beats whom on the lead metric, a sentence for each pair of choices."""
    metric = comparison.lead_metric
    return [str(contest) for contest in contests(comparison, metric)] if metric else []


def terminal(comparison: Comparison) -> RenderableType:
    """For rich; nothing where nothing was varied."""
    from rich.console import Group
    from rich.text import Text

    table = effects_table(comparison)
    return Group(*([table, *map(Text, outcomes(comparison))] if table else ()))


def markdown(comparison: Comparison) -> str:
    """Empty where nothing was varied."""
    table = effects_table(comparison)
    if table is None:
        return ""
    lines = [table.markdown(), "", *(f"- {markdown_text(line)}" for line in outcomes(comparison))]
    lines += ["", *map(markdown_text, lead_notes(comparison))] if lead_notes(comparison) else []
    return "\n".join(lines) + "\n"
