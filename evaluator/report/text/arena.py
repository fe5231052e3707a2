"""Ratings from votes, as a table: terminal, Markdown, LaTeX, CSV, HTML and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from evaluator.arena.consistency import Consistency, Share
from evaluator.arena.judge_votes import Bias
from evaluator.arena.panels import Panel
from evaluator.arena.ratings import Gap, Ratings
from evaluator.report.ratings import format_rating, format_rating_interval
from evaluator.report.text.escape import markdown_text
from evaluator.report.text.table import Cell, TextTable, csv_of

COLUMNS = ("system", "rating", "low", "high", "rank", "votes", "won", "lost", "tied", "both_bad")
BY = "by"  # whose votes: people, or a judge's name


def ratings_table(panel: Panel) -> TextTable:
    """A row per system, the best first."""
    ratings = panel.ratings
    rows = [
        [
            Cell(one.system),
            Cell(format_rating(one), format_rating_interval(one)),
            *(Cell(f"{count:,}") for count in (one.rank, one.votes, one.won, one.lost, one.tied)),
            Cell(f"{one.both_bad:,}"),
        ]
        for one in ratings.systems
    ]
    headings = ["system", "rating", "rank", "votes", "won", "lost", "tied", "both bad"]
    return TextTable(headings, rows, caption(panel))


def caption(panel: Panel) -> str:
    ratings = panel.ratings
    counts = f"{ratings.votes:,} votes, {ratings.images:,} images"
    if panel.is_judge:
        return f"Bradley-Terry ratings by the judge {panel.name}: {counts}"
    raters = f"{ratings.raters:,} {'rater' if ratings.raters == 1 else 'raters'}"
    return f"Bradley-Terry ratings: {counts}, {raters}"


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


def notes(panel: Panel) -> Iterator[str]:
    """What the intervals hold, which systems are not separated, how far voters agree."""
    ratings = panel.ratings
    what = "images and raters" if ratings.raters_resampled else "images; the raters are taken as they are"
    what = "images; the judge is taken as it is" if panel.is_judge else what
    yield f"Intervals ({100 * ratings.confidence:g} %) resample {what}. The mean rating is 1000."
    if ratings.skipped:
        what = "Questions without an answer in one order" if panel.is_judge else "Skipped questions"
        yield f"{what}, which do not count: {ratings.skipped:,}"
    if ratings.unconnected:
        groups = "; ".join(", ".join(group) for group in ratings.unconnected)
        yield f"No vote connects these groups, so their ratings cannot be compared: {groups}"
    yield from map(gap_note, ratings.gaps)
    yield from consistency_notes(panel.consistency)
    if panel.bias:
        yield from bias_notes(panel.bias)


def consistency_notes(consistency: Consistency) -> Iterator[str]:
    if consistency.alpha is not None:
        yield (
            f"Raters agree with each other: Krippendorff's alpha {consistency.alpha:.2f} (nominal, "
            f"{consistency.alpha_questions:,} questions with several raters)"
        )
    if consistency.two_raters:
        yield f"Two raters give the same answer: {share(consistency.two_raters)}"
    if consistency.same_rater:
        yield f"Repeated questions get the same answer: {share(consistency.same_rater)}"
    if consistency.left:
        yield f"The caption on the left wins: {share(consistency.left)}"


def bias_notes(bias: Bias) -> Iterator[str]:
    """What a judge's votes depend on, each with its 95 % interval."""
    if bias.position:
        yield (
            f"Position bias: the other order of the captions changes the answer to {share(bias.position)} "
            "questions; such answers count as a tie"
        )
    if bias.first:
        yield f"The caption that the judge reads first wins: {share(bias.first)}"
    if bias.agreement:
        yield f"The judge says what people say: {share(bias.agreement)} votes of people"
    if bias.agreement_decided:
        yield f"The same without ties: {share(bias.agreement_decided)}"
    if bias.longer:
        people = f"; with people: {share(bias.longer_by_people)}" if bias.longer_by_people else ""
        yield f"The longer caption wins: {share(bias.longer)}{people}"


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


def rows(panels: Sequence[Panel]) -> list[dict[str, Any]]:
    return [
        {**{name: getattr(one, name) for name in COLUMNS}, BY: panel.name}
        for panel in panels
        for one in panel.ratings.systems
    ]


def csv(panels: Sequence[Panel]) -> str:
    headings = (*COLUMNS, BY)
    return csv_of(headings, ([row[name] for name in headings] for row in rows(panels)))


def named(panels: Sequence[Panel], table: Callable[[TextTable], str], heading: Callable[[str], str]) -> str:
    """The tables; where several voted, with a heading that says whose votes each is of."""
    tables = [table(ratings_table(panel)) for panel in panels]
    if len(panels) > 1:
        headings = (heading(" ".join(caption(panel).split())) for panel in panels)
        tables = [f"{head}\n\n{text}" for head, text in zip(headings, tables, strict=True)]
    return "\n\n".join(tables) + "\n"


FORMATS: Mapping[str, Callable[[Sequence[Panel]], str]] = MappingProxyType(
    {
        "markdown": lambda panels: named(panels, TextTable.markdown, markdown_text),
        "latex": lambda panels: named(panels, TextTable.latex, "% {}".format),
        "html": lambda panels: "\n".join(ratings_table(panel).html() for panel in panels) + "\n",
        "csv": csv,
        "json": lambda panels: json.dumps(rows(panels), indent=2, ensure_ascii=False) + "\n",
    }
)
