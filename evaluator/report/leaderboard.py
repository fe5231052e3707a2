"""The leaderboard: its order, what stands in each cell, and where each interval lies on its column's scale.

The best of a column is marked only where the column's
numbers are comparable, and whatever prints the same number as the best is marked too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from evaluator.comparison.compare import Comparison
from evaluator.comparison.pairs import recipe
from evaluator.core import Score
from evaluator.report.redact import without_folders
from evaluator.report.text.comparison import cost, coverage, interval, is_headline, points, rank, speed
from evaluator.report.verdict import comparable

# Of the drawing, in CSS pixels; its ends leave room for the dot.
WHISKER_WIDTH = 88
WHISKER_MARGIN = 4


LEVEL = "≈"  # beside a score that may be as good as the best

# What a higher score of each metric that can decide the order says of a caption.
MEANINGS = {
    "CIDEr": "it shares more with what people wrote of the image, rare words above all",
    "METEOR": "it shares more words with what a person wrote, by stem and meaning too, in the same order",
    "SPICE": "it names more of the things, properties and relations that people named",
    "CLIPScore": "it fits the picture better, as a CLIP model sees both",
    "BLEU-4": "more of its words in fours are those of people",
    "ROUGE-L": "it has a longer run of words in common with what a person wrote",
}


@dataclass(frozen=True)
class Whisker:
    """An interval on its column's scale: pixels from the left."""

    low: float
    value: float
    high: float


@dataclass(frozen=True)
class Cell:
    """One score as it is printed."""

    text: str
    value: float | None
    interval: str
    signature: str
    best: bool
    level: bool  # with the best one, as far as a paired test can tell
    whisker: Whisker | None


@dataclass(frozen=True)
class Line:
    """One run of the leaderboard."""

    label: str
    rank: str
    rank_value: float | None  # the middle of its ranks
    cells: tuple[Cell, ...]
    coverage: str
    coverage_share: float
    speed: str
    images_per_second: float | None
    cost: str
    cost_usd: float | None


def best_first(comparison: Comparison) -> Comparison:
    """The runs in the order of the lead metric, those without it last."""
    lead = comparison.lead_metric
    first = comparison.ranked(lead) if lead else []
    return replace(comparison, rows=(*first, *(row for row in comparison.rows if row not in first)))


def of_columns(comparison: Comparison) -> Comparison:
    """With the metrics that a table shows: the lead metric first; of those that no run has the notes tell."""
    lead = comparison.lead_metric
    return replace(
        comparison, metrics=tuple(dict.fromkeys([*([lead] if lead else []), *comparison.computed]))
    )


def lines(comparison: Comparison) -> list[Line]:
    columns = [cells(comparison, metric) for metric in comparison.metrics]
    return [
        Line(
            label=row.label,
            rank=rank(ranks := comparison.rank(row)),
            rank_value=None if ranks is None else sum(ranks) / 2,
            cells=tuple(column[place] for column in columns),
            coverage=coverage(row),
            coverage_share=row.results.coverage,
            speed=speed(row),
            images_per_second=row.results.images_per_second,
            cost=cost(row),
            cost_usd=row.results.cost_usd,
        )
        for place, row in enumerate(comparison.rows)
    ]


def cells(comparison: Comparison, metric: str) -> list[Cell]:
    """One column, a cell for each run."""
    scores = [row.score(metric) for row in comparison.rows]
    computed = [score for score in scores if score.computed]
    marked = len(computed) > 1 and comparable(comparison, metric)
    best = points(max(computed, key=lambda score: score.goodness)) if marked else None
    ranks = comparison.contrasts.ranks(metric)
    drawn = whiskers(scores) if is_headline(metric) else [None] * len(scores)
    return [
        Cell(
            text=points(score),
            value=score.value,
            interval=interval(score),
            signature=without_folders(score.signature),
            best=points(score) == best,
            level=marked and points(score) != best and (ranks[row.place] or (0, 0))[0] == 1,
            whisker=whisker,
        )
        for row, score, whisker in zip(comparison.rows, scores, drawn, strict=True)
    ]


def whiskers(scores: Sequence[Score]) -> list[Whisker | None]:
    """Each interval on the scale that holds them all; nothing where there are not two to compare."""
    ends = [(s.low, s.value, s.high) for s in scores]
    known = [end for low, value, high in ends for end in (low, value, high) if end is not None]
    drawn = [None not in found for found in ends]
    if sum(drawn) < 2:
        return [None] * len(scores)
    left, width = min(known), (max(known) - min(known)) or 1.0
    pixels = WHISKER_WIDTH - 2 * WHISKER_MARGIN

    def place(value: float | None) -> float:
        return round(WHISKER_MARGIN + pixels * (((value or 0.0) - left) / width), 1)

    return [
        Whisker(place(score.low), place(score.value), place(score.high)) if has_ends else None
        for score, has_ends in zip(scores, drawn, strict=True)
    ]


def notes(comparison: Comparison) -> list[str]:
    """What a reader must know of the numbers: why some are missing, and which are over fewer images."""
    return [*not_computed(comparison), *over_fewer_images(comparison), *own_document_frequencies(comparison)]


def not_computed(comparison: Comparison) -> list[str]:
    """Each reason once, with the metrics and runs that it concerns."""
    concerned: dict[str, dict[str, list[str]]] = {}
    for metric in comparison.metrics:
        for row in comparison.rows:
            if not (score := row.score(metric)).computed:
                concerned.setdefault(score.reason, {}).setdefault(metric, []).append(row.label)
    found = []
    for reason, runs_of in concerned.items():
        runs = dict.fromkeys(label for labels in runs_of.values() for label in labels)
        whose = "" if len(runs) == len(comparison.rows) else f" for {', '.join(runs)}"
        found.append(f"{', '.join(runs_of)} not computed{whose}: {reason}")
    return found


def over_fewer_images(comparison: Comparison) -> list[str]:
    return [
        f"{metric} of {row.label} is over {score.images:,} of its {row.results.captioned:,} captions."
        for metric in comparison.metrics
        for row in comparison.rows
        if (score := row.score(metric)).computed and 0 < score.images < row.results.captioned
    ]


def own_document_frequencies(comparison: Comparison) -> list[str]:
    """CIDEr weighs words by how rare they are among the references at hand, so a subset has its own scale."""
    recipes = [recipe(row.score("CIDEr").signature) for row in comparison.rows]
    if not any("idf:corpus" in found.split("|") for found in recipes):
        return []
    return [
        "CIDEr takes its document frequencies from the references being scored: it compares runs over the "
        "same images, and a part of a data set scores higher than the whole."
    ]
