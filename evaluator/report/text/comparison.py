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

from evaluator.comparison.comparison import Comparison, Row
from evaluator.core import Style
from evaluator.core.metrics import metric_of
from evaluator.report.formatting import (
    NOT_COMPUTED,
    format_confidences,
    format_cost,
    format_coverage,
    format_difference,
    format_difference_interval,
    format_interval,
    format_p_value,
    format_points,
    format_rank,
    format_speed,
)
from evaluator.report.text.table import Cell, TextTable

if TYPE_CHECKING:
    from rich.console import RenderableType


def comparison_table(comparison: Comparison) -> TextTable:
    """The runs with their scores; ranks and costs where a run has one."""
    is_ranked = any(map(comparison.rank, comparison.rows))
    has_costs = any(row.results.cost_usd is not None for row in comparison.rows)
    headings = ["model", *(["rank"] if is_ranked else []), *comparison.metrics, "coverage", "images/s"]
    rows = []
    for row in comparison.rows:
        cells = [Cell(row.label), *([Cell(format_rank(comparison.rank(row)))] if is_ranked else [])]
        cells += [score_cell(row, metric) for metric in comparison.metrics]
        cells += [Cell(format_coverage(row.results)), Cell(format_speed(row.results))]
        rows.append([*cells, *([Cell(format_cost(row.results))] if has_costs else [])])
    caption = f"scores in points (x100), {format_confidences(comparison)} intervals in brackets"
    return TextTable(
        [*headings, *(["cost"] if has_costs else [])], rows, caption, wrapping=comparison.metrics
    )


def score_cell(row: Row, metric: str) -> Cell:
    """A headline metric has its interval in the table, any other in CSV and JSON."""
    score = row.score(metric)
    if score is None:
        return Cell(NOT_COMPUTED)
    return Cell(format_points(score), format_interval(score) if metric_of(metric).headline else "")


def difference_table(comparison: Comparison) -> TextTable | None:
    """What each run gains on the baseline, with paired tests; None where nothing can be compared."""
    pairs, base, lead = comparison.pairs, comparison.baseline, comparison.lead_metric
    rows = [
        row
        for row in comparison.rows
        if any(pairs.difference(metric, row.index, base) for metric in comparison.metrics)
    ]
    metrics = [
        metric
        for metric in comparison.metrics
        if (metric_of(metric).headline or metric == "BLEU-4")
        and any(pairs.difference(metric, row.index, base) for row in rows)
    ]
    has_counts = lead is not None and any(pairs.difference(lead, row.index, base) for row in rows)
    if not metrics and not has_counts:
        return None
    headings = ["model", *metrics, *([f"images better, tied, worse on {lead}"] if has_counts else [])]
    table = [
        [
            Cell(row.label),
            *(difference_cell(comparison, metric, row) for metric in metrics),
            *([counts_cell(comparison, lead or "", row)] if has_counts else []),
        ]
        for row in rows
    ]
    caption = (
        f"differences from {comparison.base_row.label} in points, over the same {pairs.images:,} images; "
        f"paired tests, p-values corrected for {len(comparison.rows)} runs"
    )
    return TextTable(headings, table, caption, wrapping=headings[1:])


def difference_cell(comparison: Comparison, metric: str, row: Row) -> Cell:
    difference = comparison.pairs.difference(metric, row.index, comparison.baseline)
    if difference is None:
        return Cell()
    p_value = comparison.pairs.p_value(metric, row.index, comparison.baseline)
    return Cell(
        format_difference(difference), format_difference_interval(difference), format_p_value(p_value)
    )


def counts_cell(comparison: Comparison, metric: str, row: Row) -> Cell:
    difference = comparison.pairs.difference(metric, row.index, comparison.baseline)
    if difference is None:
        return Cell()
    return Cell(f"{difference.wins:,}, {difference.ties:,}, {difference.losses:,}")


def style_table(comparison: Comparison) -> TextTable | None:
    """How the captions are written; None where no run has a caption."""
    headings = ["model", "words", "median", "references"]
    headings += ["preamble", "markdown", "sentences > 1", "other script"]
    rows = [
        [row.label, *style_texts(style)]
        for row in comparison.rows
        if (style := row.results.style) is not None
    ]
    caption = "style of the captions: lengths in words, and shares of the captions"
    return TextTable(headings, [list(map(Cell, row)) for row in rows], caption) if rows else None


def style_texts(style: Style) -> list[str]:
    references = style.reference_words_mean
    shares = (style.preamble, style.markdown, style.several_sentences, style.other_script)
    return [
        f"{style.words_mean:.1f}",
        f"{style.words_median:g}",
        "" if references is None else f"{references:.1f}",
        *(f"{100 * share:.1f} %" for share in shares),
    ]


def data_table(comparison: Comparison) -> TextTable:
    """The table as programs read it: numbers on the files' scale, intervals in columns of their own."""
    styles = (
        [field.name for field in fields(Style)] if any(row.results.style for row in comparison.rows) else []
    )
    headings = ["model", "run", "images", "captioned", "coverage", "images_per_second", "cost_usd", *styles]
    headings += [f"{metric}{end}" for metric in comparison.metrics for end in ("", "_low", "_high")]
    rows = []
    for row in comparison.rows:
        results = row.results
        values: list[object] = [row.label, row.run.name, results.images, results.captioned, results.coverage]
        values += [results.images_per_second, results.cost_usd]
        values += [getattr(results.style, name, None) for name in styles]
        for metric in comparison.metrics:
            score = row.score(metric)
            values += [score.value, score.low, score.high] if score else [None] * 3
        rows.append([Cell("" if value is None else str(value)) for value in values])
    return TextTable(headings, rows)


def reasons(comparison: Comparison) -> list[str]:
    """Why cells say "not computed", each reason once."""
    return list(
        dict.fromkeys(
            f"{metric} not computed: {row.reason(metric)}"
            for metric in comparison.metrics
            for row in comparison.rows
            if row.score(metric) is None
        )
    )


def terminal(comparison: Comparison) -> RenderableType:
    """For rich: scores, differences to the baseline, and style, as far as there are any."""
    from rich.console import Group

    tables = [comparison_table(comparison), difference_table(comparison), style_table(comparison)]
    return Group(*(table.terminal() for table in tables if table))


def markdown(comparison: Comparison) -> str:
    """The scores, and the differences to the baseline where there are any."""
    parts = [comparison_table(comparison).markdown()]
    if differences := difference_table(comparison):
        parts += [f"{differences.caption}:", differences.markdown()]
    return "\n\n".join(parts) + "\n"


def latex(comparison: Comparison) -> str:
    return comparison_table(comparison).latex() + "\n"


def as_csv(comparison: Comparison) -> str:
    return data_table(comparison).csv()


def as_json(comparison: Comparison) -> str:
    """One object per run, with signatures and the reasons why scores are missing."""
    document = {
        "runs": [run_document(comparison, row) for row in comparison.rows],
        "baseline": comparison.base_row.run.name,
        "images": comparison.pairs.images,
        "differences": difference_documents(comparison),
        "warnings": comparison.warnings,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def run_document(comparison: Comparison, row: Row) -> dict[str, Any]:
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
        "cost_usd": results.cost_usd,
        "style": asdict(results.style) if results.style else None,
        "scores": {metric: score_document(row, metric) for metric in comparison.metrics},
    }


def score_document(row: Row, metric: str) -> dict[str, Any]:
    score = row.score(metric)
    if score is None:
        return {"value": None, "reason": row.reason(metric)}
    return {"value": score.value, "low": score.low, "high": score.high, "signature": score.signature}


def difference_documents(comparison: Comparison) -> list[dict[str, Any]]:
    """Each run's differences to the baseline, on the files' scale, p-values before and after correction."""
    pairs, base = comparison.pairs, comparison.baseline
    return [
        asdict(difference) | {"run": row.run.name, "p_corrected": pairs.p_value(metric, row.index, base)}
        for row in comparison.rows
        for metric in comparison.metrics
        if (difference := pairs.difference(metric, row.index, base))
    ]


FORMATS: Mapping[str, Callable[[Comparison], str]] = MappingProxyType(
    {"markdown": markdown, "latex": latex, "csv": as_csv, "json": as_json}
)


def write_tables(comparison: Comparison, folder: Path) -> None:
    """Write comparison.md, comparison.csv and comparison.json into the folder, made where it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, suffix in (("markdown", "md"), ("csv", "csv"), ("json", "json")):
        (folder / f"comparison.{suffix}").write_text(FORMATS[name](comparison), encoding="utf-8")
