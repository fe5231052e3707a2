"""The comparison table: in the terminal, in Markdown, LaTeX and CSV, and as JSON.

Shares and scores are shown in points, a hundred times the reference programs' scale (CIDEr 145.6); CSV and
JSON are for programs and keep the scale of the files (1.4555).
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from types import MappingProxyType
from typing import Any

import pandas as pd
from rich.table import Table

from evaluator.comparison.compare import HEADLINE, Comparison, Row
from evaluator.core import Score

NOT_COMPUTED = "not computed"
STYLE_COLUMNS = (
    *("model", "words", "median", "references"),
    *("preamble", "markdown", "sentences > 1", "other script"),
)


def is_headline(metric: str) -> bool:
    """Whether the table shows the metric's interval; that of normalised captions goes with the raw one's."""
    return metric.split(" (")[0] in HEADLINE


def points(score: Score) -> str:
    """A score as it is printed: points with one digit."""
    return NOT_COMPUTED if score.value is None else f"{100 * score.value:.1f}"


def interval(score: Score) -> str:
    """Its interval in points, empty where there is none."""
    if score.low is None or score.high is None:
        return ""
    return f"{100 * score.low:.1f}–{100 * score.high:.1f}"


def with_interval(score: Score, separator: str) -> str:
    """A headline score with its interval, any other by itself."""
    bounds = interval(score) if is_headline(score.name) else ""
    return f"{points(score)}{separator}({bounds})" if bounds else points(score)


def speed(row: Row) -> str:
    rate = row.results.images_per_second
    return "" if rate is None else f"{rate:.1f}" if rate < 100 else f"{rate:.0f}"


def coverage(row: Row) -> str:
    """In per cent, never rounded up to all of them."""
    return f"{math.floor(10_000 * row.results.coverage + 1e-9) / 100:.2f} %"


def cost(row: Row) -> str:
    """In US dollars, empty where it is not known."""
    return "" if row.results.cost_usd is None else f"${row.results.cost_usd:.2f}"


def display_frame(comparison: Comparison, separator: str = " ") -> pd.DataFrame:
    """The table as people read it: strings, models as rows; what they cost where that is known of any."""
    ranked = any(map(comparison.rank, comparison.rows))
    costs_are_known = any(row.results.cost_usd is not None for row in comparison.rows)
    return pd.DataFrame(
        [
            {"model": row.label}
            | ({"rank": rank(comparison.rank(row))} if ranked else {})
            | {metric: with_interval(row.score(metric), separator) for metric in comparison.metrics}
            | {"coverage": coverage(row), "images/s": speed(row)}
            | ({"cost": cost(row)} if costs_are_known else {})
            for row in comparison.rows
        ]
    ).set_index("model")


def rank(ranks: tuple[int, int] | None) -> str:
    """The ranks that a run may have.

    >>> rank((1, 1)), rank((2, 3)), rank(None)
    ('1', '2–3', '')
    """
    return "" if ranks is None else str(ranks[0]) if ranks[0] == ranks[1] else f"{ranks[0]}–{ranks[1]}"


def difference_frame(comparison: Comparison, separator: str = " ") -> pd.DataFrame:
    """What each run gains on the baseline, as people read it: points, interval, p-value."""
    contrasts, base = comparison.contrasts, comparison.baseline
    shown = [metric for metric in comparison.metrics if is_headline(metric) or metric == "BLEU-4"]
    records = []
    for row in comparison.rows:
        record = {"model": row.label}
        for metric in shown:
            if found := contrasts.difference(metric, row.place, base):
                bounds = f"({100 * found.low:+.1f} to {100 * found.high:+.1f})"
                p_value = p_words(contrasts.p_value(metric, row.place, base))
                record[metric] = separator.join([f"{100 * found.value:+.1f}", bounds, p_value])
        lead = comparison.lead_metric
        if lead and (found := contrasts.difference(lead, row.place, base)):
            images = f"{found.wins:,}, {found.ties:,}, {found.losses:,}"
            record[f"images better, level, worse on {lead}"] = images
        if len(record) > 1:
            records.append(record)
    return pd.DataFrame(records).set_index("model").fillna("") if records else pd.DataFrame()


def difference_title(comparison: Comparison) -> str:
    """What the numbers of the table of differences are."""
    return (
        f"differences to {comparison.base_row.label} in points, over the same "
        f"{comparison.contrasts.images:,} images; paired tests, p corrected for {len(comparison.rows)} runs"
    )


def p_words(p_value: float) -> str:
    """A p-value as it is read.

    >>> p_words(0.0009), p_words(0.034), p_words(1.0)
    ('p < 0.001', 'p = 0.034', 'p = 1')
    """
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.2g}"


def data_frame(comparison: Comparison) -> pd.DataFrame:
    """The table as programs read it: numbers on the files' scale, intervals in columns of their own."""
    records = []
    for row in comparison.rows:
        record: dict[str, object] = {
            "model": row.label,
            "run": row.run.name,
            "images": row.results.images,
            "captioned": row.results.captioned,
            "coverage": row.results.coverage,
            "images_per_second": row.results.images_per_second,
            "cost_usd": row.results.cost_usd,
        }
        record |= asdict(row.results.style) if row.results.style else {}
        for metric in comparison.metrics:
            score = row.score(metric)
            record |= {metric: score.value, f"{metric}_low": score.low, f"{metric}_high": score.high}
        records.append(record)
    return pd.DataFrame(records).set_index("model")


def style_frame(comparison: Comparison) -> pd.DataFrame:
    """How the captions are written, as people read it; empty where no run has a caption."""
    share = "{:.1f} %".format
    return pd.DataFrame(
        [
            {
                "model": row.label,
                "words": f"{style.words_mean:.1f}",
                "median": f"{style.words_median:g}",
                "references": ""
                if style.reference_words_mean is None
                else f"{style.reference_words_mean:.1f}",
                "preamble": share(100 * style.preamble),
                "markdown": share(100 * style.markdown),
                "sentences > 1": share(100 * style.several_sentences),
                "other script": share(100 * style.other_script),
            }
            for row in comparison.rows
            if (style := row.results.style)
        ],
        columns=STYLE_COLUMNS,
    ).set_index("model")


def caption(comparison: Comparison) -> str:
    """What the numbers of the table are."""
    return f"scores in points (x100), {shares(comparison)} intervals in brackets"


def shares(comparison: Comparison) -> str:
    """How sure the intervals are: 95 %, or what it is in each run."""
    return " or ".join(sorted({f"{100 * row.results.confidence:g} %" for row in comparison.rows}))


def reasons(comparison: Comparison) -> list[str]:
    """Why cells say "not computed", each reason once."""
    return list(
        dict.fromkeys(
            f"{metric} not computed: {score.reason}"
            for metric in comparison.metrics
            for row in comparison.rows
            if not (score := row.score(metric)).computed
        )
    )


def terminal(comparison: Comparison) -> Table:
    """For rich: headline intervals stand under their scores."""
    return _rich(display_frame(comparison, separator="\n"), caption(comparison), comparison.metrics)


def terminal_differences(comparison: Comparison) -> Table | None:
    """For rich: what each run gains on the baseline; None where nothing can be compared."""
    frame = difference_frame(comparison, separator="\n")
    return None if frame.empty else _rich(frame, difference_title(comparison), list(frame.columns))


def terminal_style(comparison: Comparison) -> Table:
    """For rich: how the captions are written."""
    return _rich(style_frame(comparison), "style of the captions: words, and shares of the captions")


def _rich(frame: pd.DataFrame, title: str, may_wrap: Sequence[str] = ()) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column("model", no_wrap=True)
    for column in frame.columns:
        table.add_column(str(column), justify="right", no_wrap=column not in may_wrap)
    for label, cells in zip(frame.index, frame.to_numpy(), strict=True):
        table.add_row(str(label), *cells)
    return table


def markdown(comparison: Comparison) -> str:
    """The table, and that of the differences where there are any."""
    options: dict[str, Any] = {"stralign": "right", "disable_numparse": True}
    tables = [display_frame(comparison).to_markdown(**options)]
    if not (differences := difference_frame(comparison)).empty:
        tables += [f"{difference_title(comparison)}:", differences.to_markdown(**options)]
    return "\n\n".join(tables) + "\n"


def latex(comparison: Comparison) -> str:
    """A booktabs table."""
    frame = display_frame(comparison).rename(columns=str).reset_index()
    return frame.to_latex(index=False, escape=True, column_format="l" + "r" * (len(frame.columns) - 1))


def csv(comparison: Comparison) -> str:
    return data_frame(comparison).to_csv()


def as_json(comparison: Comparison) -> str:
    """One object a run, with signatures and the reasons of what was not computed."""
    rows = [
        {
            "model": row.label,
            "run": row.run.name,
            "images": row.results.images,
            "captioned": row.results.captioned,
            "coverage": row.results.coverage,
            "outcomes": dict(row.results.outcomes),
            "rank": comparison.rank(row),
            "images_per_second": row.results.images_per_second,
            "cost_usd": row.results.cost_usd,
            "style": asdict(row.results.style) if row.results.style else None,
            "scores": {
                metric: {
                    "value": score.value,
                    "low": score.low,
                    "high": score.high,
                    "signature": score.signature,
                }
                if (score := row.score(metric)).computed
                else {"value": None, "reason": score.reason}
                for metric in comparison.metrics
            },
        }
        for row in comparison.rows
    ]
    document = {
        "runs": rows,
        "baseline": comparison.base_row.run.name,
        "images": comparison.contrasts.images,
        "differences": differences(comparison),
        "warnings": comparison.warnings,
    }
    return json.dumps(document, ensure_ascii=False, indent=1) + "\n"


def differences(comparison: Comparison) -> list[dict[str, Any]]:
    """Each run's differences to the baseline, on the files' scale, p-values before and after correction."""
    base = comparison.baseline
    return [
        asdict(found)
        | {"run": row.run.name, "p_corrected": comparison.contrasts.p_value(metric, row.place, base)}
        for row in comparison.rows
        for metric in comparison.metrics
        if (found := comparison.contrasts.difference(metric, row.place, base))
    ]


FORMATS: Mapping[str, Callable[[Comparison], str]] = MappingProxyType(
    {"markdown": markdown, "latex": latex, "csv": csv, "json": as_json}
)
