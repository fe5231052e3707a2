"""Which questions a judge is asked: those that people answered, then others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain, zip_longest
from random import Random

from evaluator.arena.choice import Captions, Question
from evaluator.arena.votes import Vote

USUAL_NUMBER = 200  # of questions, where no vote of people says which


def questions_to_judge(
    captions: Captions, people: Sequence[Vote], number: int | None, seed: int
) -> list[Question]:
    """As many questions as were asked for, else those that people answered, else USUAL_NUMBER.

    What people answered comes first, so that both can be compared. Other questions are drawn from each pair
    of systems in turn. The same arguments give the same questions.
    """
    answered = {
        vote.question: Question(*key[:3], "a") for key, vote in captions.about(people) if vote.is_answer
    }
    if number is None:
        number = len(answered) or USUAL_NUMBER
    others = (question for question in in_turn(captions, seed) if question.id not in answered)
    return [question for question, _ in zip(chain(answered.values(), others), range(number), strict=False)]


def in_turn(captions: Captions, seed: int) -> Iterator[Question]:
    """All questions, one of each pair of systems at a time, the images in an order that is drawn."""
    drawn = []
    for (a, b), images in captions.images.items():
        order = sorted(images)
        Random(f"{seed} {a} {b}").shuffle(order)  # of its own, so that another system changes nothing
        drawn.append([Question(image, a, b, "a") for image in order])
    yield from (question for turn in zip_longest(*drawn) for question in turn if question)
