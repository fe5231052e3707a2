"""A list of runs: what each is of, how far it is, and how good."""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.core import Results
from evaluator.core.errors import StoreError
from evaluator.core.lead import lead
from evaluator.report.formatting import format_cost, format_coverage, format_points
from evaluator.report.text.table import Cell, TextTable
from evaluator.store.run import Run

HEADINGS = ("run", "images", "score", "cost", "started")
FROM_A_FILE = {"replay": "captions file"}


def runs_table(runs: Sequence[Run], names: Sequence[str]) -> tuple[TextTable, list[str]]:
    """The table, and a sentence about each run that cannot be read or was not scored."""
    rows, problems = [], []
    for run, name in zip(runs, names, strict=True):
        try:
            rows.append(row_of(run, name, run.results))
        except StoreError as error:
            problems.append(str(error))
            rows.append(row_without_results(run, name))
    caption = f"{len(runs):,} {'run' if len(runs) == 1 else 'runs'}; coverage and state in brackets"
    return TextTable(HEADINGS, rows, caption), problems


def row_of(run: Run, name: str, results: Results) -> list[Cell]:
    return [
        name_cell(run, name),
        Cell(f"{results.images:,}", format_coverage(results)),
        Cell(lead_score(results)),
        Cell(format_cost(results)),
        started_cell(run, state(results)),
    ]


def row_without_results(run: Run, name: str) -> list[Cell]:
    """What is known of a run without readable scores, which may be nothing but its name."""
    try:
        images = run.manifest.images
        known = Cell("" if images is None else f"{images:,}")
        return [name_cell(run, name), known, Cell(), Cell(), started_cell(run, "no scores")]
    except StoreError:
        return [Cell(name), Cell(), Cell(), Cell(), Cell("", "unreadable")]


def name_cell(run: Run, name: str) -> Cell:
    """The name, and under it what the run is of."""
    manifest = run.manifest
    model = FROM_A_FILE.get(manifest.choices["model"], manifest.choices["model"])
    return Cell(name, f"{model} on {manifest.dataset or manifest.choices['data']}")


def started_cell(run: Run, state_of_run: str) -> Cell:
    """The day, and under it how far the run is."""
    return Cell(run.manifest.environment.started[:10], state_of_run)


def lead_score(results: Results) -> str:
    """The metric that leads tables and its score, empty where nothing was computed."""
    scores = {score.name: score for score in results.scores}
    leading = lead(list(scores), {"": results.style})
    return f"{leading.metric} {format_points(scores[leading.metric])}" if leading else ""


def state(results: Results) -> str:
    return "incomplete" if results.is_incomplete or results.not_tried else "complete"
