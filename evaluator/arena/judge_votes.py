"""What a judge's votes in both orders say together, and what they depend on besides the captions.

The two orders of a question are one vote: for the caption that wins in both, else for neither. So a judge
that prefers whichever caption it reads first changes no rating; `Bias` says how often it does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from evaluator.arena.choice import Captions
from evaluator.arena.consistency import Share, left_share, share
from evaluator.arena.votes import QuestionId, Vote


@dataclass(frozen=True)
class Bias:
    """What a judge's votes depend on. None: there is no vote that could tell."""

    position: Share | None  # of the questions asked in both orders, those with two different answers
    first: Share | None  # of the answers for one caption, those for the one that was read first
    agreement: Share | None  # of people's votes, those that the judge's vote equals, ties among them
    agreement_decided: Share | None  # the same where neither says that it is a tie
    longer: Share | None  # of the votes for one caption, those for the one with more words
    longer_by_people: Share | None  # the same of people's votes


def together(votes: Sequence[Vote]) -> list[Vote]:
    """One vote for each question that each judge answered.

    Of a question that was asked in one order only, the answer counts as it is. Where one of two orders has no
    answer (`skip`), there is no vote. Where a question was asked again, the last answer counts.
    """
    return [one_vote(list(orders.values())) for _, orders in by_question(votes)]


def by_question(votes: Sequence[Vote]) -> Iterator[tuple[tuple[str, QuestionId], dict[str, Vote]]]:
    """By rater and question, the last vote with each caption first, by the system that wrote that caption."""
    orders: dict[tuple[str, QuestionId], dict[str, Vote]] = defaultdict(dict)
    for vote in votes:
        first = {"a": vote.a, "b": vote.b}.get(vote.left, "")
        orders[vote.rater, vote.question][first] = vote
    yield from orders.items()


def one_vote(orders: Sequence[Vote]) -> Vote:
    first = orders[0]
    if len(orders) == 1:
        return first
    preferred = {vote.preferred for vote in orders}
    if len(preferred) == 1:
        return replace(first, left="")
    return replace(first, winner="skip" if "skip" in preferred else "tie", left="")


def bias(judge: Sequence[Vote], people: Sequence[Vote], captions: Captions | None) -> Bias:
    """What the votes of one judge depend on; lengths need the captions that the votes are about."""
    asked_twice = [
        (question[0], len({vote.preferred for vote in orders.values()}) > 1)
        for (_, question), orders in by_question(judge)
        if len(orders) == 2 and all(vote.is_answer for vote in orders.values())
    ]
    answers = {vote.question: vote.answer for vote in together(judge) if vote.is_answer}
    both = [
        (vote.image, vote.answer, answers[vote.question])
        for vote in people
        if vote.is_answer and vote.question in answers
    ]
    return Bias(
        share(asked_twice),
        left_share(judge),
        share([(image, said == judged) for image, said, judged in both]),
        share([(image, said == judged) for image, said, judged in both if "tie" not in (said, judged)]),
        longer_share(together(judge), captions),
        longer_share(people, captions),
    )


def longer_share(votes: Sequence[Vote], captions: Captions | None) -> Share | None:
    """Of the votes for one of two captions of different lengths, those for the one with more words."""
    if captions is None:
        return None
    cases = []
    for _, vote in captions.about(votes):
        if vote.winner in ("a", "b"):
            said = captions.of[vote.image]
            more = len(said[vote.a].split()) - len(said[vote.b].split())
            if more:
                cases.append((vote.image, (more > 0) == (vote.winner == "a")))
    return share(cases)
