"""How far metrics agree with people, as a table: terminal, Markdown, LaTeX, CSV, HTML and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from evaluator.agreement.judgements import StatisticName
from evaluator.agreement.trust import Agreement, Trusted
from evaluator.core.dollars import format_dollars
from evaluator.report.formatting import format_digits
from evaluator.report.text.table import Cell, TextTable, csv_of

NAMES: Mapping[StatisticName, str] = MappingProxyType(
    {
        "kendall_tau_c": "Kendall's τ-c",
        "kendall_tau_b": "Kendall's τ-b",
        "spearman": "Spearman's ρ",
        "pearson": "Pearson's r",
        "pairwise_accuracy": "pairwise accuracy",
        "system_pearson": "Pearson's r of systems",
    }
)


def trust_table(trusted: Trusted) -> TextTable:
    """One collection: a row per metric and statistic, the best metric first."""
    ranked = trusted.ranked()
    columns: dict[str, Callable[[Agreement], str]] = {
        "part": lambda one: one.collection.partition(":")[2] or "all",
        "statistic": lambda one: NAMES[one.statistic],
    }
    shown = {name: text for name, text in columns.items() if len(set(map(text, ranked))) > 1}
    with_published = any(one.published is not None for one in ranked)
    headings = ["metric", *shown, "agreement", "behind the best"]
    rows = [
        [
            Cell(one.metric),
            *(Cell(text(one)) for text in shown.values()),
            Cell(format_digits(one.points), interval(one.interval_points)),
            behind(trusted, one),
            *([Cell("" if one.published is None else f"{one.published:.1f}")] if with_published else []),
        ]
        for one in ranked
    ]
    return TextTable(
        [*headings, *(["published"] if with_published else [])],
        rows,
        caption(trusted),
        left=1 + len(shown),
    )


def caption(trusted: Trusted) -> str:
    collection = trusted.collection
    images, pairs = f"{collection.images:,}", f"{len(collection.judged):,}"
    statistics = ", ".join(NAMES[name] for name in dict.fromkeys(one.statistic for one in trusted.agreements))
    return f"{collection.name}: {statistics or 'no metric'} × 100, {images} images, {pairs} captions"


def behind(trusted: Trusted, one: Agreement) -> Cell:
    """By how much the best metric agrees better, with its interval and p-value."""
    if (gap := trusted.behind_best(one)) is None:
        return Cell("")
    return Cell(format_digits(gap.points), interval(gap.interval_points), gap.p_text)


def interval(points: tuple[float, float]) -> str:
    return f"{points[0]:.1f}–{points[1]:.1f}".replace("-", "−")


def notes(trusted: Trusted) -> Iterator[str]:
    """The protocol, how far people agree with each other, the order of the systems, what is missing."""
    confidence = f"{100 * trusted.confidence:g} %"
    yield f"Protocol: {trusted.collection.protocol}. Intervals ({confidence}) resample images."
    if not math.isnan(trusted.raters_alpha):
        yield f"People agree with each other: Krippendorff's alpha {trusted.raters_alpha:.2f} (ordinal)."
    systems = trusted.systems()
    if systems:
        orders = {column: sorted(means, key=lambda name: -means[name]) for column, means in systems.items()}
        yield "Systems, the best first:"
        yield from (f"  {column}: {', '.join(order)}" for column, order in orders.items())
    for name, cost_usd in trusted.costs_usd.items():
        if cost_usd is not None:
            yield f"{name}: its questions have cost {format_dollars(cost_usd)}."
    for missing in trusted.not_computed:
        yield f"{missing.name}: not computed: {missing.reason}"


def rows(trusted: Sequence[Trusted]) -> list[dict[str, Any]]:
    """A row per metric, collection and statistic; values are points, as in every table."""
    return [
        {
            "metric": one.metric,
            "collection": one.collection,
            "statistic": one.statistic,
            "value": known(one.points),
            "low": known(one.interval_points[0]),
            "high": known(one.interval_points[1]),
            "confidence": each.confidence,
            "images": one.images,
            "pairs": one.pairs,
            "published": one.published,
            "behind_best": gap_row(each, one),
            "raters_alpha": known(each.raters_alpha),
            "signature": str(one.signature),
        }
        for each in trusted
        for one in each.agreements
    ]


def known(value: float) -> float | None:
    """JSON has no NaN."""
    return None if math.isnan(value) else value


def gap_row(trusted: Trusted, one: Agreement) -> dict[str, float | None] | None:
    if (gap := trusted.behind_best(one)) is None:
        return None
    low, high = gap.interval_points
    return {
        "value": known(gap.points),
        "low": known(low),
        "high": known(high),
        "p_value": known(gap.p_value),
    }


def _joined(form: Callable[[TextTable], str]) -> Callable[[Sequence[Trusted]], str]:
    return lambda trusted: "\n\n".join(form(trust_table(each)) for each in trusted) + "\n"


def markdown(trusted: Sequence[Trusted]) -> str:
    parts = [
        f"**{caption(each)}**\n\n{trust_table(each).markdown()}\n\n"
        + "\n".join(f"- {note.strip()}" for note in notes(each))
        for each in trusted
    ]
    return "\n\n".join(parts) + "\n"


def csv(trusted: Sequence[Trusted]) -> str:
    """One table of all collections, a row per metric and statistic."""
    columns = ("metric", "collection", "statistic", "value", "low", "high", "images", "pairs", "published")
    return csv_of(columns, ([row[column] for column in columns] for row in rows(trusted)))


FORMATS: Mapping[str, Callable[[Sequence[Trusted]], str]] = MappingProxyType(
    {
        "markdown": markdown,
        "latex": _joined(TextTable.latex),
        "html": _joined(TextTable.html),
        "csv": csv,
        "json": lambda trusted: (
            json.dumps(rows(trusted), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        ),
    }
)
