"""Ratings by votes as columns beside the scores: one of people's votes, and one of each judge's."""

from __future__ import annotations

from collections.abc import Mapping

from evaluator.arena.panels import Panel
from evaluator.arena.ratings import RatedSystem
from evaluator.arena.voted import Voted


def rating_columns(voted: Voted) -> Mapping[str, Panel]:
    """Who rated, by the heading of the column."""
    return {f"{panel.name}'s rating": panel for panel in voted.panels}


def format_rating(rated: RatedSystem | None) -> str:
    """In points on Elo's scale; empty where nobody voted on the system."""
    return "" if rated is None else f"{rated.rating:.0f}"


def format_rating_interval(rated: RatedSystem | None) -> str:
    return "" if rated is None else f"{rated.low:.0f}–{rated.high:.0f}".replace("-", "−")


def format_votes(rated: RatedSystem | None) -> str:
    """How many votes a rating comes from."""
    return "" if rated is None else f"{rated.votes:,} {'vote' if rated.votes == 1 else 'votes'}"


def rating_notes(voted: Voted) -> list[str]:
    """Where the numbers of each column come from."""
    return [
        f"{heading}: Bradley-Terry on Elo's scale, mean 1000, by {panel.ratings.votes:,} votes on "
        f"{panel.ratings.images:,} images"
        + ("." if panel.is_judge else f" by {panel.ratings.raters:,} raters.")
        for heading, panel in rating_columns(voted).items()
    ]
