"""A system's scores against fixed baselines, as a table: terminal, Markdown, CSV and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from statistics import fmean
from types import MappingProxyType

from evaluator.arena.auto import AutoScore
from evaluator.arena.choice import Captions
from evaluator.report.formatting import format_digits
from evaluator.report.text.table import Cell, TextTable, csv_of

HEADINGS = ("against", "score", "comparisons", "won", "tied", "lost")


def auto_table(scores: Sequence[AutoScore], system: str, judge: str) -> TextTable:
    """A row for each baseline, and one for the mean."""
    rows = [
        [
            Cell(one.against, bold=one is scores[-1]),
            Cell(
                format_digits(one.score),
                f"{format_digits(one.low)} to {format_digits(one.high)}",
                bold=one is scores[-1],
            ),
            *(Cell(f"{count:,}") for count in (one.comparisons, one.won, one.tied, one.lost)),
        ]
        for one in scores
    ]
    caption = (
        f"{system}, judged by {judge}: 100 is better on every image, 0 as good, −100 worse on every image"
    )
    return TextTable(HEADINGS, rows, caption, rule_before=len(rows) - 1)


def auto_notes(captions: Captions, system: str, baselines: Sequence[str], alike: int) -> Iterator[str]:
    """What the score covers, and how long the captions are."""
    fixed = [said for said in captions.of.values() if said.keys() >= set(baselines)]
    both = [said for said in fixed if system in said]
    yield f"{system} has captions of {len(both):,} of the {len(fixed):,} images that all baselines captioned"
    if alike:
        yield f"Captions that say the same, a tie without a question: {alike:,}"
    words = {name: fmean(len(said[name].split()) for said in both) for name in (system, *baselines)}
    yield "Words in a caption: " + ", ".join(f"{name} {mean:.1f}" for name, mean in words.items())
    yield "Intervals (95 %) resample images"


def csv(scores: Sequence[AutoScore]) -> str:
    headings = [field.name for field in fields(AutoScore)]
    return csv_of(headings, ([getattr(one, name) for name in headings] for one in scores))


def as_json(scores: Sequence[AutoScore]) -> str:
    return json.dumps([asdict(one) for one in scores], indent=2, ensure_ascii=False, allow_nan=False) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[AutoScore]], str]] = MappingProxyType({"csv": csv, "json": as_json})
