"""What was found out about judges, as a table and as JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from evaluator.agreement.judge_check import PREAMBLE, SENTENCE, Finding
from evaluator.report.formatting import format_digits
from evaluator.report.text.table import Cell, TextTable, csv_of
from evaluator.report.text.trust import known

# What each figure says, by the check and the statistic; a check that is not here is that of two draws.
MEANINGS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (
            "order of the references",
            "mean distance",
        ): "how far the score moves with the references reversed",
        ("order of the references", "effect"): "by how much it rises then",
        ("preamble", "effect"): f"by how much the score rises with {PREAMBLE.strip()!r} in front",
        ("irrelevant sentence", "effect"): f"by how much it rises with {SENTENCE.strip()!r} behind",
        ("length", "partial correlation"): "whether longer captions score higher at equal ROUGE-L",
        ("own family", "effect"): "by how much captions of its own family score higher at equal ROUGE-L",
        ("two judges", "correlation"): "whether both rank the captions alike",
        ("two judges", "mean difference"): "by how much the first gives higher scores",
    }
)
OF_DRAWS = {
    "correlation": "whether a second answer ranks the captions alike",
    "mean distance": "how far a second answer is from the first",
}


def meaning(found: Finding) -> str:
    return MEANINGS.get((found.check, found.statistic)) or OF_DRAWS.get(found.statistic, "")


def judge_check_table(found: Sequence[Finding]) -> TextTable:
    rows = [
        [
            Cell(one.judge),
            Cell(one.check),
            Cell(meaning(one)),
            Cell(_shown(one.points), f"{_shown(one.interval_points[0])} to {_shown(one.interval_points[1])}"),
            Cell(f"{one.captions:,}"),
        ]
        for one in found
    ]
    caption = "scores and correlations x 100, 95 % intervals over images in brackets"
    return TextTable(
        ["judge", "check", "what is measured", "value", "captions"],
        rows,
        caption,
        left=3,
        wrapping=("what is measured",),
    )


def documents(found: Sequence[Finding]) -> list[dict[str, Any]]:
    """A row per figure, in points as in the table."""
    return [
        {
            "judge": one.judge,
            "check": one.check,
            "statistic": one.statistic,
            "value": known(one.points),
            "low": known(one.interval_points[0]),
            "high": known(one.interval_points[1]),
            "captions": one.captions,
            "meaning": meaning(one),
        }
        for one in found
    ]


def as_json(found: Sequence[Finding]) -> str:
    return json.dumps(documents(found), ensure_ascii=False, indent=1) + "\n"


def as_csv(found: Sequence[Finding]) -> str:
    rows = documents(found)
    return csv_of(list(rows[0]) if rows else ["judge"], (row.values() for row in rows))


FORMATS: Mapping[str, Callable[[Sequence[Finding]], str]] = MappingProxyType(
    {"markdown": lambda found: judge_check_table(found).markdown() + "\n", "csv": as_csv, "json": as_json}
)


def _shown(points: float) -> str:
    return "not known" if math.isnan(points) else format_digits(points)
