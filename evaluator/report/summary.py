"""What the numbers say, in words: which run leads, whether the lead is significant, and what is missing.

Whether a lead is significant comes from a paired test over the images that both runs captioned. Where the
scores are not comparable, no run leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from evaluator.comparison.comparison import Comparison, Row, listed
from evaluator.core import Outcome, Score
from evaluator.report.formatting import (
    format_confidence,
    format_coverage,
    format_digits,
    format_interval,
    format_lead_interval,
    format_p_value,
    format_points,
)

# How each outcome other than OK reads behind a number of images.
FAILURES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.EMPTY: "answered with nothing",
        Outcome.TRUNCATED: "cut off",
        Outcome.REFUSED: "refused",
        Outcome.BLOCKED: "blocked",
        Outcome.ERROR: "failed with an error",
        Outcome.SKIPPED: "skipped for the budget",
        Outcome.MISSING: "missing from the captions file",
    }
)


@dataclass(frozen=True)
class Summary:
    """One line to remember, and the sentences that go with it."""

    headline: str
    sentences: tuple[str, ...]


def summarize(comparison: Comparison) -> Summary:
    """Which run leads on the lead metric, and how many of the images were captioned."""
    headline, sentences = ranking_sentences(comparison)
    return Summary(headline, (*sentences, *coverage_sentences(comparison)))


def ranking_sentences(comparison: Comparison) -> tuple[str, list[str]]:
    """The headline, and what the intervals and tests say about it."""
    metric = comparison.lead_metric
    if metric is None:
        return "No metric could be computed", []
    (first, score), *others = scored = comparison.scored(metric)
    best = format_points(score)
    own_interval = f"The {format_confidence(first.results)} interval is {format_interval(score)}."
    if len(comparison.rows) == 1:
        return f"{first.label} reaches {best} on {metric}", [own_interval]
    if not others:
        return f"Only {first.label} has a score on {metric}: {best}", [own_interval]
    if not comparison.is_comparable(metric):
        return "The runs cannot be ranked", [f"Their {metric} scores are not comparable; see the warnings."]
    field = field_sentences(comparison, metric, first, others)
    if len(tied := [row.label for row, other in scored if other.value == score.value]) > 1:
        return f"{listed(tied)} are level on {metric}, at {best}", [own_interval, *field]
    # The lead is significant only if it is over every other run, not only over the next.
    certain = all(is_behind(comparison, metric, first, row) is not False for row, _ in others)
    headline = (
        f"{first.label} leads on {metric}, with {best}"
        if certain
        else f"{first.label} is ahead on {metric}, with {best}, perhaps by chance"
    )
    return headline, [*lead_sentences(comparison, metric, first, *others[0]), *field]


def lead_sentences(comparison: Comparison, metric: str, first: Row, second: Row, score: Score) -> list[str]:
    """How far the best run leads the next, and whether that is significant."""
    following = f"The next is {second.label}, at {format_points(score)} ({format_interval(score)})."
    difference = comparison.pairs.difference(metric, first.index, second.index)
    if difference is None:
        return [f"{following} No paired test could be made."]
    p_value = format_p_value(comparison.pairs.p_value(metric, first.index, second.index))
    certain = comparison.pairs.is_significant(metric, first.index, second.index)
    return [
        f"{following} Over the same {difference.images:,} images the lead is "
        f"{format_digits(abs(difference.points))} points ({format_lead_interval(difference)}), "
        + (f"which is beyond doubt ({p_value})." if certain else f"which may be chance ({p_value})."),
        f"Image by image {first.label} is better on {difference.wins:,}, {second.label} on "
        f"{difference.losses:,}; {difference.ties:,} are level.",
    ]


def is_behind(comparison: Comparison, metric: str, first: Row, other: Row) -> bool | None:
    """Whether a paired test tells a run from the first; None where there is no such test."""
    if comparison.pairs.difference(metric, first.index, other.index) is None:
        return None
    return comparison.pairs.is_significant(metric, first.index, other.index)


def field_sentences(
    comparison: Comparison, metric: str, first: Row, others: Sequence[tuple[Row, Score]]
) -> list[str]:
    """Which of several other runs can be told apart from the first, and which cannot."""
    if len(others) < 2:
        return []
    tested = [(row, score, is_behind(comparison, metric, first, row)) for row, score in others]
    tied = [row.label for row, _, behind in tested if behind is False]
    behind = [f"{row.label} ({format_points(score)})" for row, score, behind in tested if behind]
    verb = "is" if len(behind) == 1 else "are"
    return [
        *([f"{listed(tied)} cannot be told apart from {first.label}."] if tied else []),
        *([f"Surely behind {verb} {listed(behind)}."] if behind else []),
    ]


def coverage_sentences(comparison: Comparison) -> list[str]:
    """Which runs lack captions, and why; or that none does."""
    rows = comparison.rows
    incomplete = [(row, failures) for row in rows if (failures := failure_counts(row))]
    if not incomplete:
        counts = {row.results.images for row in rows}
        (count, *more) = counts
        number = "all of its images" if more else "the one image" if count == 1 else f"all {count:,} images"
        return [f"{'Every run' if len(rows) > 1 else 'The run'} captioned {number}."]
    sentences = [
        f"{row.label} has captions for {row.results.captioned:,} of {row.results.images:,} images "
        f"({format_coverage(row.results)}): {listed(failures)}."
        for row, failures in incomplete
    ]
    if len(rows) > 1:
        sentences.append(
            f"The scores are over the {comparison.pairs.images:,} images that all runs captioned."
            if comparison.on_shared_images
            else "Each score is over the images that its run captioned, so not all over the same ones."
        )
    return sentences


def failure_counts(row: Row) -> list[str]:
    """How many images have no caption, by the reason, the most frequent first."""
    counts = [f"{count:,} {FAILURES[outcome]}" for outcome, count in row.results.failures.items() if count]
    return counts + ([f"{row.results.not_tried:,} not tried yet"] if row.results.not_tried else [])
