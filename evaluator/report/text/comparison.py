"""The comparison as text: in the terminal, in Markdown, LaTeX and CSV, and as JSON.

People read scores in points, 100 times the reference programs' scale (CIDEr 145.6). CSV and JSON are for
programs and keep the scale of the files (1.4555).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from evaluator.audit.findings import sentence
from evaluator.comparison.comparison import Comparison, Row
from evaluator.comparison.disagreements import disagreements
from evaluator.comparison.objects import object_counts
from evaluator.comparison.paired_tests import Difference, p_value_text
from evaluator.core import Score, Style
from evaluator.core.dollars import format_dollars
from evaluator.files.output_files import write_output
from evaluator.report.disagreements import disagreement_notes
from evaluator.report.formatting import (
    NOT_COMPUTED,
    QUANTITIES,
    format_confidences,
    format_damage,
    format_interval,
    format_points,
    format_rank,
)
from evaluator.report.leaderboard import cut_off_notes, lead_notes
from evaluator.report.text.draws import draws_table
from evaluator.report.text.escape import markdown_text
from evaluator.report.text.table import Cell, TextTable, csv_of

if TYPE_CHECKING:
    from rich.console import RenderableType


# Of Style's fields, the shares of the captions and their headings.
SHARES = {
    "preamble": "preamble",
    "markdown": "markdown",
    "several_sentences": "sentences > 1",
    "other_script": "other script",
}
SHOWN_OBJECTS = 5  # of each kind and run
DAMAGED = "damaged"  # a column that is there where something is wrong with captions


def comparison_table(comparison: Comparison) -> TextTable:
    """The runs with their scores; ranks, speeds and costs where a run has one.

    A headline metric has its interval in the table, any other in CSV and JSON.
    """
    is_ranked = any(map(comparison.rank, comparison.rows))
    beside = {
        name: text for name, text in QUANTITIES.items() if any(text(row.results) for row in comparison.rows)
    }
    if any(row.results.findings for row in comparison.rows):
        beside = {DAMAGED: format_damage, **beside}
    rows = [
        [
            Cell(row.label),
            *([Cell(format_rank(comparison.rank(row)))] if is_ranked else []),
            *(
                score_cell(row.score(metric), metric in comparison.headline, row.results.captioned)
                for metric in comparison.metrics
            ),
            *(Cell(text(row.results)) for text in beside.values()),
        ]
        for row in comparison.rows
    ]
    headings = ["model", *(["rank"] if is_ranked else []), *comparison.metrics, *beside]
    caption = f"scores in points (x100), {format_confidences(comparison)} intervals in brackets"
    if any(map(is_judged, (score for row in comparison.rows for score in row.results.scores))):
        caption += "; under a judge's score, the captions that it judged and what that cost"
    return TextTable(headings, rows, caption, first=first_columns(comparison))


def first_columns(comparison: Comparison) -> list[str]:
    """What a narrow terminal shows first: rank, lead metric, coverage, and other headline metrics."""
    lead = comparison.lead_metric or ""
    return list(dict.fromkeys(["rank", lead, DAMAGED, "coverage", *comparison.headline]))


def score_cell(score: Score | None, with_interval: bool, captions: int = 0) -> Cell:
    """A judge's score has its interval, how many of the run's captions were judged, and the cost."""
    if score is None:
        return Cell(NOT_COMPUTED)
    if not is_judged(score):
        return Cell(format_points(score), format_interval(score) if with_interval else "")
    cost = [] if score.cost_usd is None else [format_dollars(score.cost_usd)]
    judged = [f"{score.images:,} of {captions:,}"] if captions else []
    note = ", ".join([*judged, *cost])
    return Cell(format_points(score), format_interval(score), note)


def is_judged(score: Score) -> bool:
    """Whether a model was asked for the score: it may have answered about some of the captions only."""
    return not score.signature.options.keys().isdisjoint(("judge", "generator"))


def differences(comparison: Comparison) -> dict[tuple[int, str], Difference]:
    """What each run gains on the baseline, by the run's index and the metric."""
    pairs, base = comparison.pairs, comparison.baseline
    return {
        (row.index, metric): difference
        for row in comparison.rows
        for metric in comparison.metrics
        if (difference := pairs.difference(metric, row.index, base))
    }


def difference_table(comparison: Comparison) -> TextTable | None:
    """What each run gains on the baseline, with paired tests; None where nothing can be compared."""
    found, lead = differences(comparison), comparison.lead_metric
    compared = {metric for _, metric in found}
    metrics = [
        metric
        for metric in comparison.metrics
        if metric in compared and metric in (*comparison.headline, "BLEU-4")
    ]
    counted = [lead] if lead in compared else []
    if not metrics and not counted:
        return None
    rows = [
        [
            Cell(row.label),
            *(difference_cell(found.get((row.index, metric))) for metric in metrics),
            *(counts_cell(found.get((row.index, metric))) for metric in counted),
        ]
        for row in comparison.rows
        if any(row.index == index for index, _ in found)
    ]
    headings = ["model", *metrics, *(f"images better, tied, worse on {metric}" for metric in counted)]
    caption = (
        f"differences from {comparison.base_row.label} in points, over the same {comparison.pairs.images:,} "
        f"images; intervals and p-values of paired tests"
    )
    if len(comparison.rows) > 2:
        caption += f" hold for all pairs of {len(comparison.rows)} runs"
    wrapping = headings[-1:] if counted else ()
    return TextTable(headings, rows, caption, wrapping=wrapping, first=counted)


def difference_cell(found: Difference | None) -> Cell:
    if found is None:
        return Cell()
    low, high = found.interval_points
    return Cell(f"{found.points:+.1f}", f"{low:+.1f} to {high:+.1f}", p_value_text(found.p_corrected))


def counts_cell(found: Difference | None) -> Cell:
    return Cell(f"{found.wins:,}, {found.ties:,}, {found.losses:,}") if found else Cell()


def style_table(comparison: Comparison) -> TextTable | None:
    """How the captions are written; None where no run has a caption.

    Shares that are 0.0 % in all runs have no column.
    """
    styles = [(row.label, row.results.style) for row in comparison.rows if row.results.style]
    if not styles:
        return None
    shares = {
        heading: [f"{100 * getattr(style, name):.1f} %" for _, style in styles]
        for name, heading in SHARES.items()
    }
    columns = {
        "model": [label for label, _ in styles],
        "words": [f"{style.words_mean:.1f}" for _, style in styles],
        "median": [f"{style.words_median:g}" for _, style in styles],
        "references": [length_of_references(style) for _, style in styles],
        **{heading: texts for heading, texts in shares.items() if set(texts) != {"0.0 %"}},
    }
    rows = [[Cell(text) for text in texts] for texts in zip(*columns.values(), strict=True)]
    caption = "style of the captions: lengths in words"
    if len(columns) > 4:
        caption += ", and shares of the captions"
    return TextTable(list(columns), rows, caption)


def objects_table(comparison: Comparison) -> TextTable | None:
    """The objects that captions most often invent and miss; None where CHAIR was not computed."""
    counts = [(row.label, found) for row in comparison.rows if (found := object_counts(comparison, row))]
    if not counts:
        return None
    rows = [
        [Cell(label), Cell(most_frequent(found.invented)), Cell(most_frequent(found.missed))]
        for label, found in counts
    ]
    headings = ["model", "invented", "missed"]
    caption = "objects that captions most often invent and miss, with the numbers of captions"
    return TextTable(headings, rows, caption, left=3, wrapping=headings[1:])


def most_frequent(counts: Mapping[str, int]) -> str:
    """The first objects with their numbers, as in `cat 12, dog 3`."""
    return ", ".join(f"{name} {count:,}" for name, count in list(counts.items())[:SHOWN_OBJECTS])


def length_of_references(style: Style) -> str:
    return "" if style.reference_words_mean is None else f"{style.reference_words_mean:.1f}"


def terminal(comparison: Comparison) -> RenderableType:
    """For rich, the best run first: scores, differences to the baseline, objects, and style."""
    from rich.console import Group

    comparison = comparison.best_first
    makers = (comparison_table, draws_table, difference_table, objects_table, style_table)
    return Group(*filter(None, (make(comparison) for make in makers)))


def markdown(comparison: Comparison) -> str:
    """The scores, and where there are any the differences to the baseline and objects; the best run first."""
    comparison = comparison.best_first
    parts = [comparison_table(comparison).markdown()]
    makers = (draws_table, difference_table, objects_table)
    for table in filter(None, (make(comparison) for make in makers)):
        parts += [f"{markdown_text(table.caption)}:", table.markdown()]
    notes = [*lead_notes(comparison), *cut_off_notes(comparison)]
    notes += disagreement_notes(disagreements(comparison))
    parts += map(markdown_text, notes)
    return "\n\n".join(parts) + "\n"


def latex(comparison: Comparison) -> str:
    return "\n% ".join([comparison_table(comparison.best_first).latex(), *lead_notes(comparison)]) + "\n"


def as_csv(comparison: Comparison) -> str:
    """Numbers as in the files, intervals in columns of their own."""
    runs = [run_document(comparison, row) for row in comparison.rows]
    quantities = ["images_per_second", "seconds_to_load", "peak_memory", "cost_usd"]
    columns = ["model", "run", "images", "captioned", "coverage", *quantities]
    styles = [field.name for field in fields(Style)] if any(run["style"] for run in runs) else []
    ends = {"": "value", "_low": "low", "_high": "high"}
    headings = [*columns, *styles, *(metric + end for metric in comparison.metrics for end in ends)]
    rows = [
        [
            *(run[name] for name in columns),
            *((run["style"] or {}).get(name) for name in styles),
            *(score.get(end) for score in run["scores"].values() for end in ends.values()),
        ]
        for run in runs
    ]
    return csv_of(headings, rows)


def as_json(comparison: Comparison) -> str:
    """One object per run, and one per difference to the baseline, with numbers as in the files."""
    names = {row.index: row.run.name for row in comparison.rows}
    document = {
        "lead": asdict(comparison.lead) if comparison.lead else None,
        "runs": [run_document(comparison, row) for row in comparison.rows],
        "baseline": comparison.base_row.run.name,
        "images": comparison.pairs.images,
        "differences": [
            asdict(difference) | {"run": names[index]}
            for (index, _), difference in differences(comparison).items()
        ],
        "disagreements": asdict(disagreements(comparison)),
        "warnings": comparison.warnings,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def run_document(comparison: Comparison, row: Row) -> dict[str, Any]:
    """With signatures, and the reasons why scores are missing."""
    results = row.results
    return {
        "model": row.label,
        "run": row.run.name,
        "images": results.images,
        "captioned": results.captioned,
        "coverage": results.coverage,
        "outcomes": dict(results.outcomes),
        "rank": comparison.rank(row),
        "images_per_second": results.images_per_second,
        "seconds_to_load": results.seconds_to_load,
        "peak_memory": results.peak_memory,
        "cost_usd": results.cost_usd,
        "style": asdict(results.style) if results.style else None,
        "draws": [asdict(one) for one in results.draws],
        "findings": [asdict(one) | {"sentence": sentence(one)} for one in results.findings],
        "objects": asdict(counts) if (counts := object_counts(comparison, row)) else None,
        "scores": {metric: score_document(row, metric) for metric in comparison.metrics},
    }


def score_document(row: Row, metric: str) -> dict[str, Any]:
    score = row.score(metric)
    if score is None:
        return {"value": None, "reason": row.reason(metric)}
    judged = {"images": score.images, "cost_usd": score.cost_usd} if is_judged(score) else {}
    return {
        "value": score.value,
        "low": score.low,
        "high": score.high,
        "signature": score.signature,
        **judged,
        "cut_off": score.cut_off,
    }


FORMATS: Mapping[str, Callable[[Comparison], str]] = MappingProxyType(
    {"markdown": markdown, "latex": latex, "csv": as_csv, "json": as_json}
)


def write_tables(comparison: Comparison, folder: Path) -> None:
    """Write comparison.md, comparison.csv and comparison.json into the folder, made where it is missing."""
    for name, suffix in (("markdown", "md"), ("csv", "csv"), ("json", "json")):
        write_output(folder / f"comparison.{suffix}", FORMATS[name](comparison))
