"""What the numbers say, in words: which run leads, whether the lead is significant, and what is missing.

Whether a lead is significant comes from a paired test over the images that both runs captioned. Where the
scores are not comparable, no run leads.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from evaluator.comparison.comparison import Comparison, Row, listed
from evaluator.comparison.disagreements import disagreements
from evaluator.comparison.objects import object_counts
from evaluator.comparison.paired_tests import Difference, p_value_text
from evaluator.core import Outcome, Score
from evaluator.report.disagreements import disagreement_notes
from evaluator.report.formatting import (
    format_confidence,
    format_coverage,
    format_digits,
    format_interval,
    format_points,
)
from evaluator.report.leaderboard import lead_notes
from evaluator.report.trade_off import trade_off_sentence

# How each outcome other than OK reads behind a number of images.
FAILURES: Mapping[Outcome, str] = MappingProxyType(
    {
        Outcome.EMPTY: "empty",
        Outcome.TRUNCATED: "cut off",
        Outcome.REFUSED: "refused",
        Outcome.BLOCKED: "blocked",
        Outcome.ERROR: "failed with an error",
        Outcome.SKIPPED: "skipped to stay within the budget",
        Outcome.MISSING: "missing from the captions file",
    }
)


# Of the objects that captions invent.
MOST_RUNS, MOST_OBJECTS = 3, 3

# Another run than the first, its score, and the first run's difference from it.
Compared = tuple[Row, Score, Difference]


@dataclass(frozen=True)
class Summary:
    """One line to remember, a few sentences that go with it, and the numbers behind them."""

    headline: str
    sentences: tuple[str, ...]
    details: tuple[str, ...] = ()


def summarize(comparison: Comparison) -> Summary:
    """Which run leads on the lead metric, why on that one, at what price, and which images lack captions."""
    ranking = summarize_ranking(comparison)
    trade_off = trade_off_sentence(comparison)
    missing = missing_caption_sentences(comparison)
    return Summary(
        ranking.headline,
        (*lead_notes(comparison), *ranking.sentences, *([trade_off] if trade_off else []), *missing),
        (
            *ranking.details,
            *object_sentences(comparison),
            *disagreement_notes(disagreements(comparison)),
            *([] if missing else [complete_sentence(comparison)]),
        ),
    )


def summarize_ranking(comparison: Comparison) -> Summary:
    """The headline, and what the intervals and tests say about it."""
    metric = comparison.lead_metric
    if metric is None:
        return Summary("No metric could be computed", ())
    (first, score), *others = scored = comparison.scored(metric)
    best = format_points(score)
    own_interval = f"The {format_confidence(first.results)} interval is {format_interval(score)}."
    if len(comparison.rows) == 1:
        return Summary(f"{first.label} scores {best} on {metric}", (own_interval,))
    if not others:
        return Summary(f"Only {first.label} has a {metric} score: {best}", (own_interval,))
    if not comparison.is_comparable(metric):
        reason = f"Their {metric} scores are not comparable; see the warnings."
        return Summary("The runs cannot be ranked", (reason,))
    differences = [
        (row, other_score, difference)
        for row, other_score in others
        if (difference := comparison.pairs.difference(metric, first.index, row.index))
    ]
    field = field_sentences(comparison, first, differences) if len(others) > 1 else []
    if len(tied := [row.label for row, other in scored if other.value == score.value]) > 1:
        return Summary(f"{listed(tied)} are tied on {metric} ({best})", (own_interval, *field))
    headline = f"{first.label} leads on {metric} ({best}){lead_clause(comparison, first, differences)}"
    lead, *image_by_image = lead_sentences(comparison, metric, first, *others[0])
    if field:
        return Summary(headline, tuple(field), (lead, *image_by_image))
    return Summary(headline, tuple(image_by_image), (lead,))


def lead_clause(comparison: Comparison, first: Row, differences: Sequence[Compared]) -> str:
    """How far the first run is ahead, and whether that could be chance.

    The lead is significant only if it is so over every other run, not only over the next.
    """
    if not differences:
        return ""
    for row, _, difference in differences:
        points = points_of(difference)
        if difference.gain < 0:
            return f", but {row.label} is {points} ahead on the images that all runs captioned"
        if not comparison.pairs.is_significant(difference.metric, first.index, row.index):
            return f"; its lead over {row.label}, {points}, could be chance"
    row, _, difference = differences[0]
    tested = significance(comparison, difference)
    return f", {points_of(difference)} ahead of {row.label} ({tested})"


def points_of(difference: Difference) -> str:
    return f"{format_digits(abs(difference.points))} points"


def significance(comparison: Comparison, difference: Difference) -> str:
    """The interval of a lead and its p-value. A lead is positive, also where a lower score is better."""
    lead = difference if difference.value >= 0 else difference.reversed
    low, high = map(format_digits, lead.interval_points)
    tested = p_value_text(difference.p_corrected)
    return f"{100 * comparison.pairs.confidence:g} % interval {low} to {high}; {tested}"


def lead_sentences(comparison: Comparison, metric: str, first: Row, second: Row, score: Score) -> list[str]:
    """How far the best run leads the next, and whether that is significant."""
    next_best = f"{second.label} is next with {format_points(score)} ({format_interval(score)})."
    difference = comparison.pairs.difference(metric, first.index, second.index)
    if difference is None:
        return [f"{next_best} No paired test could compare the two."]
    is_significant = comparison.pairs.is_significant(metric, first.index, second.index)
    ahead = first if difference.gain >= 0 else second
    return [
        f"{next_best} Over the same {count_of_images(difference.images)}, {ahead.label} is "
        f"{points_of(difference)} ahead, which {'is significant' if is_significant else 'could be chance'} "
        f"({significance(comparison, difference)}).",
        f"Image by image, {first.label} is better on {difference.wins:,} and {second.label} on "
        f"{difference.losses:,}; {difference.ties:,} are tied.",
    ]


def field_sentences(comparison: Comparison, first: Row, differences: Sequence[Compared]) -> list[str]:
    """Which of several other runs differ significantly from the first, and which do not."""
    behind: list[str] = []
    not_behind: list[str] = []
    for row, score, difference in differences:
        is_significant = comparison.pairs.is_significant(difference.metric, first.index, row.index)
        runs = behind if is_significant and difference.gain > 0 else not_behind
        runs.append(f"{row.label} ({format_points(score)})")
    return [
        *([f"Not significantly behind {first.label}: {listed(not_behind)}."] if not_behind else []),
        *([f"Significantly behind: {listed(behind)}."] if behind else []),
    ]


def object_sentences(comparison: Comparison) -> list[str]:
    """What the captions of the best runs invent most often, where CHAIR was computed."""
    runs = []
    for row in comparison.best_first.rows[:MOST_RUNS]:
        counts = object_counts(comparison, row)
        if counts and counts.invented:
            objects = [f"{name} ({count:,})" for name, count in list(counts.invented.items())[:MOST_OBJECTS]]
            runs.append(f"{row.label} {listed(objects)}")
    return [f"Objects that captions invent most often, and in how many: {'; '.join(runs)}."] if runs else []


def complete_sentence(comparison: Comparison) -> str:
    """Said where every run captioned all of its images."""
    rows = comparison.rows
    (count, *more) = {row.results.images for row in rows}
    number = "all of its images" if more else "its only image" if count == 1 else f"all {count:,} images"
    return f"{'Every run' if len(rows) > 1 else 'The run'} captioned {number}."


def missing_caption_sentences(comparison: Comparison) -> list[str]:
    """Which runs lack captions, and why; empty where none does."""
    rows = comparison.rows
    sentences = [
        f"{row.label} has captions for {row.results.captioned:,} of {count_of_images(row.results.images)} "
        f"({format_coverage(row.results)}): {listed(failures)}."
        for row in rows
        if (failures := failure_counts(row))
    ]
    if sentences and len(rows) > 1:
        sentences.append(
            f"The scores cover the {count_of_images(comparison.pairs.images)} that all runs captioned."
            if comparison.on_shared_images
            else "Each score covers the images that its own run captioned: the scores cover different images."
        )
    return sentences


def failure_counts(row: Row) -> list[str]:
    """How many images have no caption, by the reason, the most frequent first."""
    counts = [f"{count:,} {FAILURES[outcome]}" for outcome, count in row.results.failures.items() if count]
    return counts + ([f"{row.results.not_tried:,} not tried yet"] if row.results.not_tried else [])


def count_of_images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
