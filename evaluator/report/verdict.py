"""What the numbers say, in words: who leads, how sure that is, and what is missing.

Nothing here claims that a difference is significant: intervals are looked at one by one, and two systems
that captioned the same images call for a paired test. Where the numbers are not comparable, nobody leads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.compare import Comparison, Row
from evaluator.core import Score
from evaluator.report.tables import HEADLINE, coverage, interval, points

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
    return Verdict(headline, (*sentences, *coverage_sentences(comparison.rows)))


def lead_metric(comparison: Comparison) -> str | None:
    """CIDEr where a run has it, else the first headline metric, else the first of all."""
    preferred = ("CIDEr", *HEADLINE, *comparison.metrics)
    return next((metric for metric in preferred if ranked(comparison, metric)), None)


def ranked(comparison: Comparison, metric: str) -> list[Row]:
    """The runs that have this metric, the best first."""
    found = [row for row in comparison.rows if row.score(metric).computed]
    return sorted(found, key=lambda row: goodness(row.score(metric)), reverse=True)


def goodness(score: Score) -> float:
    """The value, turned round where a lower one is better."""
    value = score.value or 0.0
    return value if score.higher_is_better else -value


def comparable(comparison: Comparison, metric: str) -> bool:
    """Whether the runs that have this metric have it from the same data set, by the same recipe."""
    rows = ranked(comparison, metric)
    digests = {row.manifest["dataset_digest"] for row in rows}
    return len(digests) <= 1 and len({recipe(row.score(metric).signature) for row in rows}) <= 1


def recipe(signature: str) -> str:
    """A signature without what depends on how many images got a caption.

    >>> recipe("CIDEr|variant:D|refs:5-6|images:4982|v:0.1.0")
    'CIDEr|variant:D|v:0.1.0'
    """
    return "|".join(part for part in signature.split("|") if not part.startswith(("images:", "refs:")))


def standing(comparison: Comparison) -> tuple[str, list[str]]:
    """The headline, and what the intervals say about it."""
    metric = lead_metric(comparison)
    if metric is None:
        return "No metric could be computed", []
    rows = ranked(comparison, metric)
    first = rows[0]
    best = points(first.score(metric))
    if len(comparison.rows) == 1:
        return f"{first.label} reaches {best} on {metric}", own_interval(first, metric)
    if len(rows) == 1:
        return f"Only {first.label} has a score on {metric}: {best}", own_interval(first, metric)
    if not comparable(comparison, metric):
        return "The runs cannot be ranked", [f"Their {metric} scores are not comparable; see the warnings."]
    level = [row.label for row in rows if row.score(metric).value == first.score(metric).value]
    if len(level) > 1:
        return f"{listed(level)} are level on {metric}, at {best}", own_interval(first, metric)
    return f"{first.label} leads on {metric}, with {best}", lead_over_next(first, rows[1], metric)


def own_interval(row: Row, metric: str) -> list[str]:
    bounds = interval(row.score(metric))
    return [f"The {share(row)} interval is {bounds}."] if bounds else []


def lead_over_next(first: Row, second: Row, metric: str) -> list[str]:
    """Whether the intervals of the two best runs overlap."""
    one, other = first.score(metric), second.score(metric)
    following = f"that of the next, {second.label}, at {points(other)}"
    if one.low is None or one.high is None or other.low is None or other.high is None:
        return [
            f"The next is {second.label}, at {points(other)}. There are no intervals to tell how sure it is."
        ]
    bounds = f"Its {share(first)} interval, {interval(one)},"
    if one.low <= other.high and other.low <= one.high:
        return [
            f"{bounds} overlaps {following} ({interval(other)}).",
            "Overlapping intervals leave open which of the two is better; no paired test was made.",
        ]
    side = "above" if one.higher_is_better else "below"
    return [f"{bounds} lies wholly {side} {following} ({interval(other)}); no paired test was made."]


def coverage_sentences(rows: Sequence[Row]) -> list[str]:
    """Which runs lack captions, and why; that none does, where none does."""
    incomplete = [row for row in rows if failures(row)]
    if not incomplete:
        counts = {row.results.images for row in rows}
        number = f"all {counts.pop():,} images" if len(counts) == 1 else "all of its images"
        return [f"{'Every run' if len(rows) > 1 else 'The run'} captioned {number}."]
    sentences = [
        f"{row.label} has captions for {row.results.captioned:,} of {row.results.images:,} images "
        f"({coverage(row)}): {listed([f'{count:,} {FAILURES[kind]}' for kind, count in failures(row)])}."
        for row in incomplete
    ]
    if len(rows) > 1:
        sentences.append(
            "Each score is over the images that its run captioned, so not all over the same ones."
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
