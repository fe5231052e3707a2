"""How far voters agree: with each other, with themselves, and whether they prefer a side."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from evaluator.agreement.raters import alpha_of
from evaluator.arena.votes import Question, Vote


@dataclass(frozen=True)
class Share:
    """A share of some cases, from 0 to 1, with its 95 % interval (Wilson 1927)."""

    of: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Consistency:
    """What repeated questions say of the voters."""

    alpha: float | None  # Krippendorff's, of several raters' answers to the same question; None: not known
    alpha_questions: int
    same_rater: Share | None  # how often a rater gives the same answer again
    left: Share | None  # how often the left caption wins where one of them wins


def consistency(votes: Sequence[Vote]) -> Consistency:
    """Of all votes that are an answer."""
    answered = [vote for vote in votes if vote.winner != "skip"]
    questions: dict[Question, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for vote in answered:
        questions[vote.question][vote.rater].append(vote.preferred)
    own = [given for by_rater in questions.values() for given in by_rater.values()]
    again = [first == second for given in own for first, second in combinations(given, 2)]
    several = [
        [given[-1] for given in by_rater.values()] for by_rater in questions.values() if len(by_rater) > 1
    ]
    sides = [vote.winner == vote.left for vote in answered if vote.left and vote.winner in ("a", "b")]
    alpha = alpha_of(several, "nominal")
    return Consistency(None if math.isnan(alpha) else alpha, len(several), share(again), share(sides))


def share(cases: Sequence[bool]) -> Share | None:
    """None where there is no case."""
    from scipy.stats import binomtest

    if not cases:
        return None
    low, high = binomtest(sum(cases), len(cases)).proportion_ci(method="wilson")
    return Share(len(cases), sum(cases) / len(cases), float(low), float(high))
