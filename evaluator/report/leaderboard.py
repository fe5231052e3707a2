"""The leaderboard: which scores of a column are marked, and what a reader must know of the numbers.

The best score of a column is marked only where the column's scores are comparable; scores that print as the
same number as the best are marked too.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from evaluator.comparison.comparison import Comparison, Row, listed
from evaluator.core import Score
from evaluator.core.metrics import JUDGEMENTS, known_agreement, metric_of
from evaluator.report.formatting import format_points

BY_SENTENCE = "CLIPScore-sentences"


@dataclass(frozen=True)
class ScoreCell:
    """A score, and how it compares with the others of its column."""

    score: Score
    is_best: bool
    is_tied: bool  # with the best: no paired test tells the two apart


def leaderboard_rows(comparison: Comparison) -> list[tuple[Row, tuple[ScoreCell | None, ...]]]:
    """Each run with a cell for each metric, None where the run has no score."""
    columns = [column_cells(comparison, metric) for metric in comparison.metrics]
    return [(row, tuple(column[number] for column in columns)) for number, row in enumerate(comparison.rows)]


def column_cells(comparison: Comparison, metric: str) -> list[ScoreCell | None]:
    scored = comparison.scored(metric)
    best = format_points(scored[0][1]) if len(scored) > 1 and comparison.is_comparable(metric) else None
    ranks = comparison.pairs.ranks(metric)
    cells: list[ScoreCell | None] = []
    for row in comparison.rows:
        score = row.score(metric)
        is_best = score is not None and format_points(score) == best
        is_tied = best is not None and not is_best and (ranks[row.index] or (0, 0))[0] == 1
        cells.append(ScoreCell(score, is_best, is_tied) if score else None)
    return cells


def lead_notes(comparison: Comparison) -> list[str]:
    """Why the metric that decides the order is not the usual one, or says little; mostly nothing."""
    return [str(comparison.lead)] if comparison.lead and comparison.lead.reason else []


def notes(comparison: Comparison) -> list[str]:
    """What a reader must know of the numbers: why some are missing, and which are over fewer images."""
    return [
        *missing_score_notes(comparison),
        *fewer_images_notes(comparison),
        *cut_off_notes(comparison),
        *document_frequency_notes(comparison),
        *agreement_notes(comparison),
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
    """Scores of fewer images than have captions; runs with the same numbers share a note."""
    labels_of: dict[tuple[int, int, tuple[str, ...]], list[str]] = {}
    for row in comparison.rows:
        captioned = row.results.captioned
        images_of = {metric: score.images for metric in comparison.metrics if (score := row.score(metric))}
        for images in sorted(set(images_of.values()) & set(range(1, captioned))):
            metrics = tuple(metric for metric, number in images_of.items() if number == images)
            labels_of.setdefault((images, captioned, metrics), []).append(row.label)
    return [
        f"{listed(metrics)} of {listed(labels)} "
        + (f"covers {images:,} of its" if len(metrics) == len(labels) == 1 else f"cover {images:,} of")
        + f" {captioned:,} captions."
        for (images, captioned, metrics), labels in labels_of.items()
    ]


def cut_off_notes(comparison: Comparison) -> Iterator[str]:
    """Scores that do not read long captions to their ends; metrics with the same numbers share a note."""
    metrics_of: dict[tuple[str, int, int, bool], list[str]] = {}
    for row in comparison.rows:
        for metric in comparison.metrics:
            if (score := row.score(metric)) and score.cut_off:
                key = row.label, score.cut_off, score.images, metric == BY_SENTENCE
                metrics_of.setdefault(key, []).append(metric)
    for (label, count, images, is_by_sentence), metrics in metrics_of.items():
        whose = "their sentences" if is_by_sentence else "they"
        advice = "" if is_by_sentence else f"; {BY_SENTENCE} reads them by the sentence"
        yield (
            f"{listed(metrics)} of {label}: the ends of {count:,} of {images:,} captions are not read, since "
            f"{whose} are longer than the text encoder can read{advice}."
        )


def document_frequency_notes(comparison: Comparison) -> list[str]:
    """CIDEr weights words by how rare they are in the references at hand: a subset has its own scale."""
    if not any(score.signature.options.get("idf") == "corpus" for _, score in comparison.scored("CIDEr")):
        return []
    return [
        "CIDEr takes its document frequencies from the references being scored. Compare it only between runs "
        "over the same images: a part of a data set scores higher than the whole."
    ]


def agreement_notes(comparison: Comparison) -> list[str]:
    """What is known of how far the metrics agree with people, in one line, the most trusted first."""
    known = {
        metric: agreement
        for metric in comparison.computed
        if (agreement := known_agreement(metric)) is not None
        and metric_of(metric).covered_by not in comparison.computed
    }
    if not known:
        return []
    ordered = sorted(known.items(), key=lambda one: -one[1])
    figures = ", ".join(f"{metric} {agreement:.1f}" for metric, agreement in ordered)
    return [
        f"Agreement with people, Kendall's τ-c × 100 with the ratings of {JUDGEMENTS}: {figures}. "
        "`evaluator trust` measures it on other captions."
    ]
