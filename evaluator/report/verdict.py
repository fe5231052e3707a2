"""What the numbers say, in words: who leads, how sure that is, and what is missing.

How sure it is comes from a paired test over the images that both runs captioned. Where the numbers are not
comparable, nobody leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.comparison.compare import Comparison, Row
from evaluator.comparison.paired_tests import Difference
from evaluator.comparison.pairs import recipe
from evaluator.report.text.comparison import coverage, interval, p_words, points

# How each outcome other than "ok" reads behind a number of images.
FAILURES = {
    "empty": "answered with nothing",
    "truncated": "cut off",
    "refused": "refused",
    "blocked": "blocked",
    "error": "failed with an error",
    "skipped": "skipped for the budget",
    "missing": "missing from the captions file",
    "not tried": "not tried yet",
}


@dataclass(frozen=True)
class Verdict:
    """One line to remember, and the sentences that go with it."""

    headline: str
    sentences: tuple[str, ...]


def verdict(comparison: Comparison) -> Verdict:
    """Who leads on the lead metric, and how much of the data set was captioned."""
    headline, sentences = standing(comparison)
    return Verdict(headline, (*sentences, *coverage_sentences(comparison)))


def comparable(comparison: Comparison, metric: str) -> bool:
    """Whether the runs that have this metric have it from the same data set, by the same recipe."""
    rows = comparison.ranked(metric)
    digests = {row.manifest["dataset_digest"] for row in rows}
    return len(digests) <= 1 and len({recipe(row.score(metric).signature) for row in rows}) <= 1


def standing(comparison: Comparison) -> tuple[str, list[str]]:
    """The headline, and what the intervals say about it."""
    metric = comparison.lead_metric
    if metric is None:
        return "No metric could be computed", []
    rows = comparison.ranked(metric)
    first = rows[0]
    best = points(first.score(metric))
    if len(comparison.rows) == 1:
        return f"{first.label} reaches {best} on {metric}", own_interval(first, metric)
    if len(rows) == 1:
        return f"Only {first.label} has a score on {metric}: {best}", own_interval(first, metric)
    if not comparable(comparison, metric):
        return "The runs cannot be ranked", [f"Their {metric} scores are not comparable; see the warnings."]
    level = [row.label for row in rows if row.score(metric).value == first.score(metric).value]
    field = the_field(comparison, metric, first, rows[1:])
    if len(level) > 1:
        return f"{listed(level)} are level on {metric}, at {best}", [*own_interval(first, metric), *field]
    # The leader must be surely better than all, not only than the next.
    certain = all(surely_behind(comparison, metric, first, row) is not False for row in rows[1:])
    headline = (
        f"{first.label} leads on {metric}, with {best}"
        if certain
        else f"{first.label} is ahead on {metric}, with {best}, perhaps by chance"
    )
    return headline, [*lead_over_next(comparison, first, rows[1], metric), *field]


def own_interval(row: Row, metric: str) -> list[str]:
    bounds = interval(row.score(metric))
    return [f"The {share(row)} interval is {bounds}."] if bounds else []


def lead_over_next(comparison: Comparison, first: Row, second: Row, metric: str) -> list[str]:
    """How far the best run is ahead, and whether that is certain."""
    one, other = first.score(metric), second.score(metric)
    following = f"The next is {second.label}, at {points(other)}"
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return [f"{following}. There are no intervals to tell how sure it is."]
    found = comparison.contrasts.difference(metric, first.place, second.place)
    if found is None:
        return [f"{following} ({interval(other)}). No paired test could be made."]
    p_value = comparison.contrasts.p_value(metric, first.place, second.place)
    certain = surely_behind(comparison, metric, first, second)
    return [
        f"{following} ({interval(other)}). Over the same {found.images:,} images the lead is "
        f"{digits(100 * abs(found.value))} points ({gap(found)}), "
        + (
            f"which is beyond doubt ({p_words(p_value)})."
            if certain
            else f"which may be chance ({p_words(p_value)})."
        ),
        f"Image by image {first.label} is better on {found.wins:,}, {second.label} on {found.losses:,}; "
        f"{found.ties:,} are level.",
    ]


def surely_behind(comparison: Comparison, metric: str, first: Row, other: Row) -> bool | None:
    """Whether a paired test tells the first run from another; None where there is no such test."""
    if comparison.contrasts.difference(metric, first.place, other.place) is None:
        return None
    p_value = comparison.contrasts.p_value(metric, first.place, other.place)
    return p_value < 1 - comparison.contrasts.confidence


def the_field(comparison: Comparison, metric: str, first: Row, others: Sequence[Row]) -> list[str]:
    """Of several others, which can be told apart from the first run and which cannot."""
    if len(others) < 2:
        return []
    sure = {row.label: surely_behind(comparison, metric, first, row) for row in others}
    level = [label for label, behind in sure.items() if behind is False]
    behind = [f"{row.label} ({points(row.score(metric))})" for row in others if sure[row.label]]
    found = [f"{listed(level)} cannot be told apart from {first.label}."] if level else []
    verb = "is" if len(behind) == 1 else "are"
    return found + ([f"Surely behind {verb} {listed(behind)}."] if behind else [])


def gap(found: Difference) -> str:
    """The interval of a lead, in points.

    >>> gap(Difference("CIDEr", -0.02, -0.03, -0.01, 0.01, 0.005, 10, 1, 2, 7, higher_is_better=False))
    '1.0 to 3.0'
    """
    low, high = sorted((found.low, found.high) if found.value >= 0 else (-found.high, -found.low))
    return f"{digits(100 * low)} to {digits(100 * high)}"


def digits(points: float) -> str:
    """One digit behind the point, or as many as it takes to be something.

    >>> digits(8.04), digits(-20.0), digits(0.0123), digits(0.0)
    ('8.0', '−20.0', '0.012', '0.0')
    """
    text = f"{points:.1f}" if abs(points) >= 0.05 or points == 0.0 else f"{points:.2g}"
    return text.replace("-", "−")


def coverage_sentences(comparison: Comparison) -> list[str]:
    """Which runs lack captions, and why; that none does, where none does."""
    rows = comparison.rows
    incomplete = [row for row in rows if failures(row)]
    if not incomplete:
        counts = {row.results.images for row in rows}
        (count, *more) = counts
        number = "all of its images" if more else "the one image" if count == 1 else f"all {count:,} images"
        return [f"{'Every run' if len(rows) > 1 else 'The run'} captioned {number}."]
    sentences = [
        f"{row.label} has captions for {row.results.captioned:,} of {row.results.images:,} images "
        f"({coverage(row)}): {listed([f'{count:,} {FAILURES[kind]}' for kind, count in failures(row)])}."
        for row in incomplete
    ]
    if len(rows) > 1:
        sentences.append(
            f"The scores are over the {comparison.contrasts.images:,} images that all runs captioned."
            if comparison.on_shared
            else "Each score is over the images that its run captioned, so not all over the same ones."
        )
    return sentences


def failures(row: Row) -> list[tuple[str, int]]:
    """Each kind of failure with its number of images, the most frequent first."""
    found = {kind: count for kind, count in row.results.outcomes.items() if kind != "ok" and count}
    not_tried = row.results.images - sum(row.results.outcomes.values())
    return [*found.items(), *([("not tried", not_tried)] if not_tried > 0 else [])]


def share(row: Row) -> str:
    return f"{100 * row.results.confidence:g} %"


def listed(words: Sequence[str]) -> str:
    """Words in a row, as in a sentence.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
