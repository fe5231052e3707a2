"""Ratings from votes, as a table: terminal, Markdown, LaTeX, CSV, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from evaluator.arena.consistency import Consistency, Share
from evaluator.arena.ratings import Gap, Ratings
from evaluator.report.text.table import Cell, TextTable

COLUMNS = ("system", "rating", "low", "high", "rank", "votes", "won", "lost", "tied", "both_bad")


def ratings_table(ratings: Ratings) -> TextTable:
    """A row per system, the best first."""
    rows = [
        [
            Cell(one.system),
            Cell(f"{one.rating:.0f}", f"{one.low:.0f}–{one.high:.0f}".replace("-", "−")),
            *(Cell(f"{count:,}") for count in (one.rank, one.votes, one.won, one.lost, one.tied)),
            Cell(f"{one.both_bad:,}"),
        ]
        for one in ratings.systems
    ]
    headings = ["system", "rating", "rank", "votes", "won", "lost", "tied", "both bad"]
    return TextTable(headings, rows, caption(ratings))


def caption(ratings: Ratings) -> str:
    return (
        f"Bradley-Terry ratings: {ratings.votes:,} votes, {ratings.images:,} images, "
        f"{ratings.raters:,} {'rater' if ratings.raters == 1 else 'raters'}"
    )


def matrix_table(ratings: Ratings) -> TextTable:
    """How often the system of the row wins against that of the column, in percent, a tie as half a win."""
    names = [one.system for one in ratings.systems]
    played = ratings.wins + ratings.wins.T
    rows = [
        [
            Cell(name),
            *(
                Cell(f"{100 * won / of:.0f} %", f"{of:.0f}") if of else Cell()
                for won, of in zip(ratings.wins[index], played[index], strict=True)
            ),
        ]
        for index, name in enumerate(names)
    ]
    return TextTable(["wins against", *names], rows, "Wins in percent, a tie as half a win; number of votes")


def notes(ratings: Ratings, consistency: Consistency) -> Iterator[str]:
    """What the intervals hold, which systems are not separated, how far voters agree."""
    what = "images and raters" if ratings.raters_resampled else "images; the raters are taken as they are"
    yield f"Intervals ({100 * ratings.confidence:g} %) resample {what}. The mean rating is 1000."
    if ratings.skipped:
        yield f"Skipped questions, which do not count: {ratings.skipped:,}"
    if ratings.unconnected:
        groups = "; ".join(", ".join(group) for group in ratings.unconnected)
        yield f"No vote connects these groups, so their ratings cannot be compared: {groups}"
    yield from map(gap_note, ratings.gaps)
    if consistency.alpha is not None:
        yield (
            f"Raters agree with each other: Krippendorff's alpha {consistency.alpha:.2f} (nominal, "
            f"{consistency.alpha_questions:,} questions with several raters)"
        )
    if consistency.same_rater:
        yield f"Repeated questions get the same answer: {share(consistency.same_rater)}"
    if consistency.left:
        yield f"The caption on the left wins: {share(consistency.left)}"


def gap_note(gap: Gap) -> str:
    interval = f"{gap.difference:.0f} ({gap.low:.0f} to {gap.high:.0f})".replace("-", "−")
    if gap.is_separated:
        return f"{gap.better} is better than {gap.worse} by {interval}"
    if gap.more_votes is None:
        return (
            f"{gap.better} and {gap.worse} are not separated: {interval}; it would need many times the votes"
        )
    return (
        f"{gap.better} and {gap.worse} are not separated: {interval}; "
        f"about {gap.more_votes:,} more votes of the same kind would separate them"
    )


def share(value: Share) -> str:
    return f"{100 * value.value:.0f} % ({100 * value.low:.0f}–{100 * value.high:.0f}) of {value.of:,}"


def rows(ratings: Ratings) -> list[dict[str, Any]]:
    return [{name: getattr(one, name) for name in COLUMNS} for one in ratings.systems]


def csv(ratings: Ratings) -> str:
    cells = [[Cell(str(row[name])) for name in COLUMNS] for row in rows(ratings)]
    return TextTable(COLUMNS, cells).csv()


FORMATS: Mapping[str, Callable[[Ratings], str]] = MappingProxyType(
    {
        "markdown": lambda ratings: ratings_table(ratings).markdown() + "\n",
        "latex": lambda ratings: ratings_table(ratings).latex() + "\n",
        "html": lambda ratings: ratings_table(ratings).html() + "\n",
        "csv": csv,
        "json": lambda ratings: json.dumps(rows(ratings), indent=2, ensure_ascii=False) + "\n",
    }
)
