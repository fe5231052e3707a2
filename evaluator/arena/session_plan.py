"""What a number of votes can tell, before anybody votes."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evaluator.arena.ratings import MEAN, SCALE, covariance_of
from evaluator.comparison.bootstrap import NORMAL

CONFIDENCE = 0.95
POWER = 0.8


@dataclass(frozen=True)
class SessionPlan:
    """What votes between some systems of equal strength, spread evenly, can tell."""

    systems: int
    votes: int
    margin: float  # of a rating's 95 % interval, in points
    difference: float  # in points: systems that differ by it are separated in 80 % of such sessions

    @property
    def win_share(self) -> float:
        """How often the better of two systems with that difference wins, from 0.5 to 1."""
        return 1 / (1 + math.exp(-self.difference / SCALE))


def session_plan(systems: int, votes: int) -> SessionPlan:
    """The plan by the model alone: images and raters that differ much need more votes.

    >>> plan = session_plan(2, 200)
    >>> round(plan.difference), round(plan.win_share, 2)
    (69, 0.6)
    """
    pairs = systems * (systems - 1) // 2
    wins = np.full((systems, systems), votes / pairs / 2)
    np.fill_diagonal(wins, 0.0)
    covariance = covariance_of(wins, np.full(systems, MEAN))
    error = math.sqrt(covariance[0, 0])
    error_of_difference = math.sqrt(2 * (covariance[0, 0] - covariance[0, 1]))
    # All pairs are tested at once (Bonferroni).
    critical = NORMAL.inv_cdf(1 - (1 - CONFIDENCE) / 2 / pairs)
    return SessionPlan(
        systems,
        votes,
        margin=NORMAL.inv_cdf((1 + CONFIDENCE) / 2) * error,
        difference=(critical + NORMAL.inv_cdf(POWER)) * error_of_difference,
    )


def sentence(plan: SessionPlan) -> str:
    share = f"{100 * plan.win_share:.0f} %"
    return (
        f"{plan.votes:,} votes between {plan.systems} systems give ratings within about {plan.margin:.0f} "
        f"points, and separate two systems of which one wins {share} of the votes or more"
    )
