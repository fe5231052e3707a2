"""The leaderboard in the formats that people paste: Markdown, LaTeX, CSV, JSON and HTML.

The best score of a column is bold, and the scores that no paired test tells apart from it are marked.
External results stand in rows of their own, with their source and protocol.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from html import escape
from types import MappingProxyType

from evaluator.arena.ratings import RatedSystem
from evaluator.arena.voted import NO_VOTES, Voted
from evaluator.comparison.comparison import Comparison, Row, listed
from evaluator.core.metrics import known_agreement
from evaluator.report.formatting import NOT_COMPUTED, QUANTITIES, format_confidences, format_rank
from evaluator.report.leaderboard import ScoreCell, lead_notes, leaderboard_rows, notes
from evaluator.report.origins import signatures
from evaluator.report.ratings import (
    format_rating,
    format_rating_interval,
    format_votes,
    rating_columns,
    rating_notes,
)
from evaluator.report.redact import redacted
from evaluator.report.text.comparison import first_columns, score_cell
from evaluator.report.text.escape import markdown_text
from evaluator.report.text.external import ExternalResult
from evaluator.report.text.table import MARK, Cell, TextTable

RATING_PARTS = ("low", "high", "votes")  # what CSV has of a rating besides its value
LEGEND = f"Scores in points. Bold: the best score. {MARK}: not significantly worse than the best."


def leaderboard_table(
    comparison: Comparison,
    external: Sequence[ExternalResult] = (),
    voted: Voted = NO_VOTES,
    brief: bool = False,
) -> TextTable:
    """The runs, the best first, then the external results; `brief` leaves out all but ranks, scores, ratings.

    Beside a metric's name stands its agreement with people, which `agreement_notes` explain.
    """
    ordered, raters = comparison.best_first, rating_columns(voted)
    beside = {
        name: text
        for name, text in QUANTITIES.items()
        if not brief and any(text(row.results) for row in ordered.rows)
    }
    rows = [
        [
            Cell(row.label),
            Cell(format_rank(ordered.rank(row))),
            *(marked_cell(cell, with_interval=not brief) for cell in cells),
            *(rating_cell(panel.rating(row.label), brief) for panel in raters.values()),
            *(Cell(text(row.results)) for text in beside.values()),
        ]
        for row, cells in leaderboard_rows(ordered)
    ]
    rows += [
        [
            Cell(result.name, italic=True),
            Cell(),
            *(Cell(result.points(metric), italic=True) for metric in ordered.metrics),
            *[Cell()] * (len(raters) + len(beside)),
        ]
        for result in external
    ]
    headings = ["run", "rank", *ordered.metrics, *raters, *beside]
    first = [*first_columns(ordered), *raters]
    known = {metric: known_agreement(metric) for metric in ordered.metrics}
    agreements = {m: f"τ-c {points:.1f}" for m, points in known.items() if points is not None and not brief}
    return TextTable(headings, rows, LEGEND, len(ordered.rows), first=first, beside=agreements)


def marked_cell(cell: ScoreCell | None, with_interval: bool) -> Cell:
    if cell is None:
        return score_cell(None, with_interval)
    return replace(score_cell(cell.score, with_interval), bold=cell.is_best, marked=cell.is_tied)


def rating_cell(rated: RatedSystem | None, brief: bool) -> Cell:
    if brief:
        return Cell(format_rating(rated))
    return Cell(format_rating(rated), format_rating_interval(rated), format_votes(rated))


def about(comparison: Comparison, voted: Voted = NO_VOTES) -> list[str]:
    """What the numbers are of: data, number of images, intervals, remarks, and each metric's signature."""
    counts = sorted({row.results.images for row in comparison.rows})
    data = " and ".join(dict.fromkeys(row.data_name for row in comparison.rows))
    images = " and ".join(f"{count:,}" for count in counts)
    lines = [
        f"Data: {data}, {images} images; {format_confidences(comparison)} intervals.",
        *lead_notes(comparison),
        *notes(comparison),
        *rating_notes(voted),
        *(
            f"{signature}{f' ({listed(labels)})' if labels else ''}"
            for _, signature, labels in signatures(comparison)
        ),
    ]
    # Each on one line, whatever an error message contains, and without the folders of the machine.
    return [" ".join(redacted(line).split()) for line in lines]


def by_kind(external: Sequence[ExternalResult]) -> Iterator[tuple[str, list[ExternalResult]]]:
    """The external results under a heading for each kind."""
    kinds = {"Measured against fewer references": True, "Published, not measured here": False}
    for heading, measured in kinds.items():
        if results := [result for result in external if result.measured is measured]:
            yield heading, results


def markdown(comparison: Comparison, external: Sequence[ExternalResult] = (), voted: Voted = NO_VOTES) -> str:
    """A table for a README, and what its marks mean."""
    table = leaderboard_table(comparison, external, voted)
    remarks = (f"{markdown_text(line)}  " for line in about(comparison, voted))
    lines = [table.markdown(), "", table.caption, "", *remarks]
    for heading, results in by_kind(external):
        texts = (f"{result.name}: {result.protocol} ({result.source})" for result in results)
        lines += ["", f"*{heading}:*", "", *(f"- {markdown_text(text)}" for text in texts)]
    return "\n".join(lines) + "\n"


def latex(comparison: Comparison, external: Sequence[ExternalResult] = (), voted: Voted = NO_VOTES) -> str:
    """A booktabs table, and what its marks mean as comments."""
    lines = [leaderboard_table(comparison, external, voted, brief=True).latex()]
    lines.append("% bold: the best score; dagger: not significantly worse than the best")
    lines += [f"% {line}" for line in about(comparison, voted)]
    for heading, results in by_kind(external):
        lines += [
            f"% italics: {heading.lower()}: {one.name}: {one.protocol}, {one.source}" for one in results
        ]
    return "\n".join(lines) + "\n"


def as_html(comparison: Comparison, external: Sequence[ExternalResult] = (), voted: Voted = NO_VOTES) -> str:
    """A table to put into a page: it has no style and no script, and its caption says what its marks mean."""
    lines = [leaderboard_table(comparison, external, voted).html()]
    lines += [f"<p>{escape(line)}</p>" for line in about(comparison, voted)]
    for heading, results in by_kind(external):
        texts = (f"{result.name}: {result.protocol} ({result.source})" for result in results)
        lines.append(f"<p>{heading}:</p><ul>{''.join(f'<li>{escape(text)}</li>' for text in texts)}</ul>")
    return "\n".join(lines) + "\n"


def as_csv(comparison: Comparison, external: Sequence[ExternalResult] = (), voted: Voted = NO_VOTES) -> str:
    """For programs: one row per run or external result, scores in points; ratings are the last columns."""
    ordered, raters = comparison.best_first, rating_columns(voted)
    headings = ["name", "measured", "rank", *ordered.metrics, "coverage", "images", "data", "source"]
    headings += [name for rater in raters for name in (rater, *(f"{rater} {part}" for part in RATING_PARTS))]
    coverage = QUANTITIES["coverage"]
    beside = [
        ["yes", coverage(row.results), str(row.results.images), row.data_name, "", *rating_texts(row, voted)]
        for row in ordered.rows
    ]
    nobody = [""] * len(raters) * (1 + len(RATING_PARTS))
    beside += [["yes" if one.measured else "no", "", "", "", one.source, *nobody] for one in external]
    rows = []
    table = leaderboard_table(comparison, external, brief=True)  # without ratings, which come last
    for (name, rank, *scores), (measured, *others) in zip(table.rows, beside, strict=True):
        known = (Cell() if cell.text == NOT_COMPUTED else cell for cell in scores)
        rows.append([name, Cell(measured), rank, *known, *map(Cell, others)])
    return TextTable(headings, rows).csv()


def rating_texts(row: Row, voted: Voted) -> list[str]:
    """For each who rated: rating, low, high and votes; empty where nobody voted on the run."""
    texts = []
    for panel in voted.panels:
        rated = panel.rating(row.label)
        texts += [f"{getattr(rated, part):.6g}" if rated else "" for part in ("rating", *RATING_PARTS)]
    return texts


def as_json(comparison: Comparison, external: Sequence[ExternalResult] = (), voted: Voted = NO_VOTES) -> str:
    measured = []
    ordered = comparison.best_first
    for row, (_, rank, *cells) in zip(ordered.rows, leaderboard_table(ordered).rows, strict=True):
        scores = {
            metric: {"text": cell.text, "interval": cell.detail, "best": cell.bold, "level": cell.marked}
            for metric, cell in zip(ordered.metrics, cells[: len(ordered.metrics)], strict=True)
        }
        others = {name: text(row.results) for name, text in QUANTITIES.items() if text(row.results)}
        measured.append({"name": row.label, "rank": rank.text, "places": scores, "others": others})
        if voted.panels:
            measured[-1]["ratings"] = {
                panel.name: asdict(rated) for panel in voted.panels if (rated := panel.rating(row.label))
            }
    document = {
        "lead": asdict(ordered.lead) if ordered.lead else None,
        "measured": measured,
        "apart": [asdict(result) for result in external],
        "about": about(comparison, voted),
        "warnings": comparison.warnings,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


FORMATS: Mapping[str, Callable[[Comparison, Sequence[ExternalResult], Voted], str]] = MappingProxyType(
    {"markdown": markdown, "latex": latex, "csv": as_csv, "json": as_json, "html": as_html}
)
