"""The leading metric for the images of each tag, in every text format: a domain, an object, a folder.

People read points, CSV and JSON keep the scale of the files, as in the comparison of all images.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType

from evaluator.comparison.by_tag import TagScores
from evaluator.comparison.comparison import Comparison
from evaluator.core import Score
from evaluator.report.formatting import NOT_COMPUTED, format_interval, format_points
from evaluator.report.text.table import Cell, TextTable, csv_of


def tag_table(comparison: Comparison, tags: Sequence[TagScores]) -> TextTable:
    """One row per tag, one column per run; the best run of each tag is bold."""
    rows = [
        [Cell(one.tag), Cell(f"{one.images:,}"), *(score_cell(score, one.best) for score in one.scores)]
        for one in tags
    ]
    headings = ["tag", "images", *(row.label for row in comparison.rows)]
    confidence = f"{100 * comparison.pairs.confidence:g} %"
    caption = f"{comparison.lead_metric} in points (x100) for the images of each tag, {confidence} intervals"
    return TextTable(headings, rows, caption)


def score_cell(score: Score | None, best: float | None) -> Cell:
    if score is None:
        return Cell(NOT_COMPUTED)
    return Cell(format_points(score), format_interval(score), bold=score.oriented == best)


def markdown(comparison: Comparison, tags: Sequence[TagScores]) -> str:
    return tag_table(comparison, tags).markdown() + "\n"


def latex(comparison: Comparison, tags: Sequence[TagScores]) -> str:
    return tag_table(comparison, tags).latex() + "\n"


def as_csv(comparison: Comparison, tags: Sequence[TagScores]) -> str:
    ends = {"value": "", "low": "_low", "high": "_high"}
    headings = ["tag", "images", *(row.label + end for row in comparison.rows for end in ends.values())]
    rows = [
        [one.tag, one.images, *(getattr(score, field, "") for score in one.scores for field in ends)]
        for one in tags
    ]
    return csv_of(headings, rows)


def as_json(comparison: Comparison, tags: Sequence[TagScores]) -> str:
    names = [row.run.name for row in comparison.rows]
    document = {
        "metric": comparison.lead_metric,
        "tags": [
            {
                "tag": one.tag,
                "images": one.images,
                "scores": {
                    name: {end: asdict(score)[end] for end in ("value", "low", "high")} if score else None
                    for name, score in zip(names, one.scores, strict=True)
                },
            }
            for one in tags
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


FORMATS: Mapping[str, Callable[[Comparison, Sequence[TagScores]], str]] = MappingProxyType(
    {"markdown": markdown, "latex": latex, "csv": as_csv, "json": as_json}
)
