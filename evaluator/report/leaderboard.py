"""The leaderboard: the text of each cell, and where each interval lies on its column's scale.

The best score of a column is marked only where the column's scores are comparable; scores that print as the
same number as the best are marked too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from evaluator.comparison.comparison import Comparison
from evaluator.core import Score
from evaluator.core.metrics import metric_of
from evaluator.report.formatting import (
    format_cost,
    format_coverage,
    format_interval,
    format_points,
    format_rank,
    format_speed,
)
from evaluator.report.redact import redact_paths

# Of the drawing, in CSS pixels; the margin at its ends leaves room for the dot.
WHISKER_WIDTH = 88
WHISKER_MARGIN = 4


@dataclass(frozen=True)
class Whisker:
    """An interval on its column's scale: pixels from the left."""

    low: float
    value: float
    high: float


@dataclass(frozen=True)
class ScoreCell:
    """One score as it is printed."""

    text: str
    value: float
    interval: str
    signature: str
    is_best: bool
    is_tied: bool  # with the best: no paired test tells the two apart
    whisker: Whisker | None


@dataclass(frozen=True)
class LeaderboardRow:
    """One run of the leaderboard."""

    label: str
    rank: str
    rank_value: float | None  # the middle of its ranks
    cells: tuple[ScoreCell | None, ...]  # None where the run has no score
    coverage: str
    coverage_share: float
    speed: str
    images_per_second: float | None
    cost: str
    cost_usd: float | None


def with_shown_metrics(comparison: Comparison) -> Comparison:
    """The comparison restricted to metrics that some run has, the lead metric first.

    The notes explain why the others are missing.
    """
    lead = comparison.lead_metric
    return replace(
        comparison, metrics=tuple(dict.fromkeys([*([lead] if lead else []), *comparison.computed]))
    )


def leaderboard_rows(comparison: Comparison) -> list[LeaderboardRow]:
    columns = [column_cells(comparison, metric) for metric in comparison.metrics]
    return [
        LeaderboardRow(
            label=row.label,
            rank=format_rank(ranks := comparison.rank(row)),
            rank_value=None if ranks is None else sum(ranks) / 2,
            cells=tuple(column[number] for column in columns),
            coverage=format_coverage(row.results),
            coverage_share=row.results.coverage,
            speed=format_speed(row.results),
            images_per_second=row.results.images_per_second,
            cost=format_cost(row.results),
            cost_usd=row.results.cost_usd,
        )
        for number, row in enumerate(comparison.rows)
    ]


def column_cells(comparison: Comparison, metric: str) -> list[ScoreCell | None]:
    """One column: a cell for each run that has a score."""
    scores = [row.score(metric) for row in comparison.rows]
    scored = comparison.scored(metric)
    best = format_points(scored[0][1]) if len(scored) > 1 and comparison.is_comparable(metric) else None
    ranks = comparison.pairs.ranks(metric)
    drawn = whiskers(scores) if metric_of(metric).headline else [None] * len(scores)
    return [
        ScoreCell(
            text=format_points(score),
            value=score.value,
            interval=format_interval(score),
            signature=redact_paths(score.signature),
            is_best=format_points(score) == best,
            is_tied=best not in (None, format_points(score)) and (ranks[row.index] or (0, 0))[0] == 1,
            whisker=whisker,
        )
        if score
        else None
        for row, score, whisker in zip(comparison.rows, scores, drawn, strict=True)
    ]


def whiskers(scores: Sequence[Score | None]) -> list[Whisker | None]:
    """Each interval on the scale that holds them all; none where there are not two to compare."""
    known = [score for score in scores if score]
    if len(known) < 2:
        return [None] * len(scores)
    ends = [end for score in known for end in (score.low, score.value, score.high)]
    left, width = min(ends), (max(ends) - min(ends)) or 1.0
    pixels = WHISKER_WIDTH - 2 * WHISKER_MARGIN

    def position(value: float) -> float:
        return round(WHISKER_MARGIN + pixels * ((value - left) / width), 1)

    return [
        Whisker(position(score.low), position(score.value), position(score.high)) if score else None
        for score in scores
    ]


def notes(comparison: Comparison) -> list[str]:
    """What a reader must know of the numbers: why some are missing, and which are over fewer images."""
    return [
        *missing_score_notes(comparison),
        *fewer_images_notes(comparison),
        *document_frequency_notes(comparison),
    ]


def missing_score_notes(comparison: Comparison) -> Iterator[str]:
    """Each reason once, with the metrics and runs that it concerns."""
    metrics_of: dict[str, dict[str, list[str]]] = {}
    for metric in comparison.metrics:
        for row in comparison.rows:
            if row.score(metric) is None:
                metrics_of.setdefault(row.reason(metric), {}).setdefault(metric, []).append(row.label)
    for reason, labels_of in metrics_of.items():
        runs = dict.fromkeys(label for labels in labels_of.values() for label in labels)
        whose = "" if len(runs) == len(comparison.rows) else f" for {', '.join(runs)}"
        yield f"{', '.join(labels_of)} not computed{whose}: {reason}"


def fewer_images_notes(comparison: Comparison) -> list[str]:
    return [
        f"{metric} of {row.label} covers {score.images:,} of its {row.results.captioned:,} captions."
        for metric in comparison.metrics
        for row in comparison.rows
        if (score := row.score(metric)) and 0 < score.images < row.results.captioned
    ]


def document_frequency_notes(comparison: Comparison) -> list[str]:
    """CIDEr weights words by how rare they are in the references at hand: a subset has its own scale."""
    if not any(score.signature.options.get("idf") == "corpus" for _, score in comparison.scored("CIDEr")):
        return []
    return [
        "CIDEr takes its document frequencies from the references being scored. Compare it only between runs "
        "over the same images: a part of a data set scores higher than the whole."
    ]
