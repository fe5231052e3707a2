"""The leaderboard in the formats that people paste: Markdown, LaTeX, CSV, JSON and HTML.

The best score of a column is bold, and the scores that no paired test tells apart from it are marked.
External results stand in rows of their own, with their source and protocol.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from html import escape
from operator import attrgetter
from types import MappingProxyType
from typing import Any

from evaluator.comparison.comparison import Comparison, listed
from evaluator.report.formatting import NOT_COMPUTED, format_confidences
from evaluator.report.leaderboard import LeaderboardRow, ScoreCell, leaderboard_rows, notes
from evaluator.report.origins import signatures
from evaluator.report.redact import redact_paths
from evaluator.report.text.external import ExternalResult
from evaluator.report.text.table import MARK, Cell, TextTable

LEGEND = f"Scores in points. Bold: the best score. {MARK}: not significantly worse than the best."

# What stands behind the scores, as far as some run has it.
BEHIND_SCORES: Mapping[str, Callable[[LeaderboardRow], str]] = MappingProxyType(
    {"coverage": attrgetter("coverage"), "images/s": attrgetter("speed"), "cost": attrgetter("cost")}
)


def leaderboard_table(
    comparison: Comparison, external: Sequence[ExternalResult] = (), brief: bool = False
) -> TextTable:
    """The runs, the best first, then the external results; `brief` leaves out all but ranks and scores."""
    ordered = comparison.best_first
    runs = leaderboard_rows(ordered)
    extra = {name: text for name, text in BEHIND_SCORES.items() if not brief and any(map(text, runs))}
    rows = [
        [
            Cell(row.label),
            Cell(row.rank),
            *(score_cell(cell, with_interval=not brief) for cell in row.cells),
            *(Cell(text(row)) for text in extra.values()),
        ]
        for row in runs
    ]
    rows += [
        [
            Cell(result.name, italic=True),
            Cell(),
            *(Cell(result.points(metric), italic=True) for metric in ordered.metrics),
            *[Cell()] * len(extra),
        ]
        for result in external
    ]
    return TextTable(["run", "rank", *ordered.metrics, *extra], rows, LEGEND, rule_before=len(runs))


def score_cell(cell: ScoreCell | None, with_interval: bool) -> Cell:
    if cell is None:
        return Cell(NOT_COMPUTED)
    interval = cell.interval if with_interval else ""
    return Cell(cell.text, interval, bold=cell.is_best, marked=cell.is_tied)


def about(comparison: Comparison) -> list[str]:
    """What the numbers are of: data, number of images, intervals, remarks, and each metric's signature."""
    counts = sorted({row.results.images for row in comparison.rows})
    data = " and ".join(dict.fromkeys(row.manifest.choices["data"] for row in comparison.rows))
    images = " and ".join(f"{count:,}" for count in counts)
    lines = [
        f"Data: {data}, {images} images; {format_confidences(comparison)} intervals.",
        *notes(comparison),
        *(
            f"{one.signature}{f' ({listed(one.labels)})' if one.labels else ''}"
            for one in signatures(comparison)
        ),
    ]
    # Each on one line, whatever an error message contains, and without the folders of the machine.
    return [" ".join(redact_paths(line).split()) for line in lines]


def by_kind(external: Sequence[ExternalResult]) -> list[tuple[str, list[ExternalResult]]]:
    """The external results under a heading for each kind."""
    kinds = {True: "Measured against fewer references", False: "Published, not measured here"}
    grouped = [(kinds[kind], [one for one in external if one.measured is kind]) for kind in kinds]
    return [(heading, results) for heading, results in grouped if results]


def markdown(comparison: Comparison, external: Sequence[ExternalResult] = ()) -> str:
    """A table for a README, and what its marks mean."""
    table = leaderboard_table(comparison, external)
    lines = [table.markdown(), "", table.caption, "", *(f"{line}  " for line in about(comparison))]
    for heading, results in by_kind(external):
        lines += ["", f"*{heading}:*", ""]
        lines += [f"- {result.name}: {result.protocol} ({result.source})" for result in results]
    return "\n".join(lines) + "\n"


def latex(comparison: Comparison, external: Sequence[ExternalResult] = ()) -> str:
    """A booktabs table, and what its marks mean as comments."""
    lines = [leaderboard_table(comparison, external, brief=True).latex()]
    lines.append("% bold: the best score; dagger: not significantly worse than the best")
    lines += [f"% {line}" for line in about(comparison)]
    for heading, results in by_kind(external):
        lines += [
            f"% italics: {heading.lower()}: {one.name}: {one.protocol}, {one.source}" for one in results
        ]
    return "\n".join(lines) + "\n"


def as_html(comparison: Comparison, external: Sequence[ExternalResult] = ()) -> str:
    """A table to put into a page: it has no style and no script, and its caption says what its marks mean."""
    lines = [leaderboard_table(comparison, external).html()]
    lines += [f"<p>{escape(line)}</p>" for line in about(comparison)]
    for heading, results in by_kind(external):
        texts = (f"{result.name}: {result.protocol} ({result.source})" for result in results)
        lines.append(f"<p>{heading}:</p><ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>")
    return "\n".join(lines) + "\n"


def as_csv(comparison: Comparison, external: Sequence[ExternalResult] = ()) -> str:
    """For programs: one row per run or external result, scores in points."""
    ordered = comparison.best_first
    headings = ["name", "measured", "rank", *ordered.metrics, "coverage", "images", "data", "source"]
    rows = [
        [
            *(shown.label, "yes", shown.rank),
            *(cell.text if cell else "" for cell in shown.cells),
            *(shown.coverage, str(row.results.images), row.manifest.choices["data"], ""),
        ]
        for shown, row in zip(leaderboard_rows(ordered), ordered.rows, strict=True)
    ]
    rows += [
        [
            *(one.name, "yes" if one.measured else "no", ""),
            *map(one.points, ordered.metrics),
            *("", "", "", one.source),
        ]
        for one in external
    ]
    return TextTable(headings, [list(map(Cell, row)) for row in rows]).csv()


def as_json(comparison: Comparison, external: Sequence[ExternalResult] = ()) -> str:
    ordered = comparison.best_first
    document = {
        "measured": [row_document(row, ordered.metrics) for row in leaderboard_rows(ordered)],
        "apart": [asdict(result) for result in external],
        "about": about(comparison),
        "warnings": comparison.warnings,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def row_document(row: LeaderboardRow, metrics: Sequence[str]) -> dict[str, Any]:
    scores = {
        metric: {"text": cell.text, "interval": cell.interval, "best": cell.is_best, "level": cell.is_tied}
        if cell
        else {"text": NOT_COMPUTED, "interval": "", "best": False, "level": False}
        for metric, cell in zip(metrics, row.cells, strict=True)
    }
    others = {name: text(row) for name, text in BEHIND_SCORES.items() if text(row)}
    return {"name": row.label, "rank": row.rank, "places": scores, "others": others}


FORMATS: Mapping[str, Callable[[Comparison, Sequence[ExternalResult]], str]] = MappingProxyType(
    {"markdown": markdown, "latex": latex, "csv": as_csv, "json": as_json, "html": as_html}
)
