"""Who voted: people, and each judge by itself. Their votes are never in one rating.

>>> votes = [Vote("1", "x", "y", "a", "anna"), Vote("1", "x", "y", "b", "gemini", by="judge")]
>>> [(panel.name, panel.ratings.systems[0].system) for panel in panels(votes, resamples=100)]
[('people', 'x'), ('gemini', 'y')]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluator.arena.choice import Captions
from evaluator.arena.consistency import Consistency, consistency
from evaluator.arena.judge_votes import Bias, bias, together
from evaluator.arena.ratings import RatedSystem, Ratings, rate
from evaluator.arena.votes import Vote

PEOPLE = "people"


@dataclass(frozen=True)
class Panel:
    """The votes of people, or of one judge, and what follows from them."""

    name: str  # people, or the judge's
    votes: Sequence[Vote]  # of a judge one for each question, whatever the order of the captions
    ratings: Ratings
    consistency: Consistency
    bias: Bias | None = None  # of a judge

    @property
    def is_judge(self) -> bool:
        return self.bias is not None

    def rating(self, system: str) -> RatedSystem | None:
        return next((one for one in self.ratings.systems if one.system == system), None)


def panels(
    votes: Sequence[Vote], captions: Captions | None = None, resamples: int = 1000, seed: int = 0
) -> list[Panel]:
    """People first, if any voted, then each judge that gave an answer.

    `captions` are those that the votes are about, for the effect of their lengths.
    """
    people = [vote for vote in votes if vote.by == "person"]
    found = []
    if any(vote.is_answer for vote in people):
        found.append(Panel(PEOPLE, people, rate(people, resamples, seed=seed), consistency(people)))
    for name in dict.fromkeys(vote.rater for vote in votes if vote.by == "judge"):
        own = [vote for vote in votes if vote.by == "judge" and vote.rater == name]
        of_questions = together(own)
        if any(vote.is_answer for vote in of_questions):
            ratings = rate(of_questions, resamples, seed=seed)
            bias_of_judge = bias(own, people, captions)
            found.append(Panel(name, of_questions, ratings, consistency(of_questions), bias_of_judge))
    return found
