"""How far voters agree: with each other, with themselves, and whether they prefer a side."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from evaluator.agreement.raters import alpha_of
from evaluator.arena.votes import QuestionId, Vote
from evaluator.comparison.bootstrap import wilson_interval

# A case of an image, and whether it is what is counted.
Case = tuple[str, bool]


@dataclass(frozen=True)
class Share:
    """A share of some cases, from 0 to 1, with its 95 % interval."""

    of: int
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Consistency:
    """What repeated questions say of the voters."""

    alpha: float | None  # Krippendorff's, of several raters' answers to the same question; None: not known
    alpha_questions: int
    two_raters: Share | None  # how often two raters give the same answer, both bad being a tie
    same_rater: Share | None  # how often a rater gives the same answer again
    left: Share | None  # how often the left caption wins where one of them wins


def consistency(votes: Sequence[Vote]) -> Consistency:
    """Of all votes that are an answer."""
    answered = [vote for vote in votes if vote.is_answer]
    questions: dict[QuestionId, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for vote in answered:
        questions[vote.question][vote.rater].append(vote.preferred)
    again = [
        (question[0], first == second)
        for question, by_rater in questions.items()
        for given in by_rater.values()
        for first, second in combinations(given, 2)
    ]
    several = [
        [given[-1] for given in by_rater.values()] for by_rater in questions.values() if len(by_rater) > 1
    ]
    last = {(vote.question, vote.rater): vote.answer for vote in answered}
    of_two = [
        (question[0], last[question, one] == last[question, other])
        for question, by_rater in questions.items()
        for one, other in combinations(by_rater, 2)
    ]
    alpha = alpha_of(several, "nominal")
    known_alpha = None if math.isnan(alpha) else alpha
    return Consistency(known_alpha, len(several), share(of_two), share(again), left_share(answered))


def left_share(votes: Sequence[Vote]) -> Share | None:
    """How often the caption on the left wins, or the one that a judge read first."""
    return share(
        [(vote.image, vote.winner == vote.left) for vote in votes if vote.left and vote.winner in ("a", "b")]
    )


def share(cases: Sequence[Case], confidence: float = 0.95) -> Share | None:
    """The share of the cases that are so, with Wilson's interval; None where there is no case.

    Cases of one image are not independent: as many cases are taken as would say as much if they were (Korn
    and Graubard 1998, Survey Methodology 24).

    >>> found = share([("1", True), ("2", True), ("3", False), ("4", True)])
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.75, 0.301, 0.954)
    """
    if not cases:
        return None
    count, value = len(cases), sum(is_so for _, is_so in cases) / len(cases)
    return Share(count, value, *wilson_interval(value, count / repetition(cases, value), confidence))


def repetition(cases: Sequence[Case], value: float) -> float:
    """By how much the share's variance is larger than that of as many images with one case each.

    With two cases an image that are always alike it is 2. It is never below 1. Where all cases are alike, an
    image counts once.
    """
    sizes, so = Counter(image for image, _ in cases), Counter(image for image, is_so in cases if is_so)
    if value in (0.0, 1.0):
        return len(cases) / len(sizes)
    squares = math.fsum((so[image] - size * value) ** 2 for image, size in sizes.items())
    return max(1.0, squares / (len(cases) * value * (1 - value)))
