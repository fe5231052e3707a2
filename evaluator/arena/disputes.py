"""The questions that people answered differently."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluator.arena.votes import QuestionId, Vote


@dataclass(frozen=True)
class Dispute:
    """One question, and how many people gave each answer: the name of a system, or tie."""

    image: str
    systems: tuple[str, str]
    answers: Mapping[str, int]
    reasons: Sequence[str]

    @property
    def united(self) -> float:
        """The share of the answers that are the most frequent one."""
        return max(self.answers.values()) / sum(self.answers.values())


def disputes(votes: Sequence[Vote], most: int) -> list[Dispute]:
    """At most so many questions that several people answered differently, the most divided first.

    A person's last answer counts.
    """
    last_votes: dict[QuestionId, dict[str, Vote]] = defaultdict(dict)
    for vote in votes:
        if vote.is_answer and vote.by == "person":
            last_votes[vote.question][vote.rater] = vote
    divided = [
        Dispute(
            image,
            (min(pair), max(pair)),
            Counter(vote.answer for vote in by_rater.values()),
            [vote.reason for vote in by_rater.values() if vote.reason],
        )
        for (image, pair), by_rater in last_votes.items()
        if len({vote.answer for vote in by_rater.values()}) > 1
    ]
    return sorted(divided, key=lambda one: (one.united, -sum(one.answers.values())))[:most]
