"""Which two captions somebody is asked about next.

A new question is about the two systems whose next vote, as the ratings expect it, takes most from the sum of
the ratings' variances: an A-optimal design (Atkinson, Donev and Tobias 2007, Optimum Experimental Designs,
chapter 10). So systems of which one nearly always wins are asked about less often than those that are close.
Of the images, those with the fewest votes come first, since votes on one image are not independent. Some
questions are repeated: to the same rater with the sides swapped, and to another rater.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from random import Random

import numpy as np

from evaluator.arena.ratings import MEAN, SCALE, covariance_of, ratings_of, sigmoid
from evaluator.arena.votes import QuestionId, Side, Vote, caption_digest
from evaluator.core import Array

SWAPPED_SHARE = 0.05  # of the questions are the same rater's own again, with the sides swapped
SHARED_SHARE = 0.10  # are another rater's
# A rater is asked again only after so many other questions.
APART = 5

# By image and system, what stands for the question: a caption that changed makes another question.
QuestionKey = tuple[str, str, str, str, str]


@dataclass(frozen=True)
class Question:
    """Two captions of an image, and which of them stands on the left."""

    image: str
    a: str
    b: str
    left: Side

    @property
    def id(self) -> QuestionId:
        return self.image, frozenset((self.a, self.b))


@dataclass(frozen=True)
class Captions:
    """What several systems said of the same images, by image and system."""

    of: Mapping[str, Mapping[str, str]]

    @cached_property
    def systems(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(system for said in self.of.values() for system in said))

    @cached_property
    def images(self) -> Mapping[tuple[str, str], Sequence[str]]:
        """By two systems, the images on which their captions differ by more than a person would see."""
        plain = {
            image: {name: plain_text(text) for name, text in said.items()} for image, said in self.of.items()
        }
        return {
            (a, b): [image for image, said in plain.items() if a in said and b in said and said[a] != said[b]]
            for a, b in combinations(self.systems, 2)
        }

    @property
    def questions(self) -> int:
        return sum(map(len, self.images.values()))

    def key(self, image: str, a: str, b: str) -> QuestionKey:
        a, b = sorted((a, b))
        return image, a, b, self._digests[image][a], self._digests[image][b]

    @cached_property
    def _digests(self) -> Mapping[str, Mapping[str, str]]:
        return {
            image: {name: caption_digest(text) for name, text in said.items()}
            for image, said in self.of.items()
        }

    def about(self, votes: Iterable[Vote]) -> Iterator[tuple[QuestionKey, Vote]]:
        """The votes on these captions; votes without digests count as such."""
        for vote in votes:
            said = self._digests.get(vote.image, {})
            if vote.a in said and vote.b in said:
                digests = said[vote.a], said[vote.b]
                if (vote.caption_a or digests[0], vote.caption_b or digests[1]) == digests:
                    yield self.key(vote.image, vote.a, vote.b), vote


def plain_text(caption: str) -> str:
    """Captions with the same plain text are not worth a question.

    >>> plain_text("A dog  on grass. ") == plain_text("a dog on grass")
    True
    """
    return " ".join(caption.casefold().split()).rstrip(" .")


def next_question(
    captions: Captions, votes: Sequence[Vote], rater: str, pending: Collection[Question], random: Random
) -> Question | None:
    """The next question to a rater; None where there is none that the rater was not asked.

    `pending` are the questions that others look at now.
    """
    keyed_votes = list(captions.about(votes))
    own = [(key, vote) for key, vote in keyed_votes if vote.rater == rater]
    asked = {key for key, _ in own}
    drawn = random.random()
    if drawn < SWAPPED_SHARE:
        if again := own_again(own):
            vote = random.choice(again)
            return Question(vote.image, vote.a, vote.b, "b" if vote.left == "a" else "a")
    elif drawn < SWAPPED_SHARE + SHARED_SHARE:
        answers = Counter(key for key, vote in keyed_votes if vote.is_answer)
        if others := [key for key, count in answers.items() if key not in asked and count == 1]:
            return placed(*random.choice(others)[:3], random)
    return new_question(captions, keyed_votes, asked, pending, random)


def own_again(own: Sequence[tuple[QuestionKey, Vote]]) -> list[Vote]:
    """The rater's answers that can be asked for again: long enough ago, and given once."""
    counts = Counter(key for key, _ in own)
    return [vote for key, vote in own[:-APART] if counts[key] == 1 and vote.is_answer]


def new_question(
    captions: Captions,
    keyed_votes: Sequence[tuple[QuestionKey, Vote]],
    asked: Collection[QuestionKey],
    pending: Collection[Question],
    random: Random,
) -> Question | None:
    """The question that narrows the ratings most, on the image with the fewest votes."""
    answered = [(key, vote) for key, vote in keyed_votes if vote.is_answer]
    answers = [vote for _, vote in answered]
    of_image = Counter([vote.image for vote in answers] + [question.image for question in pending])
    of_question = Counter(key for key, _ in answered)
    of_question.update(
        captions.key(each.image, each.a, each.b) for each in pending if each.image in captions.of
    )
    for a, b in most_telling(captions.systems, answers, pending, random):
        open_images = [image for image in captions.images[a, b] if captions.key(image, a, b) not in asked]
        if open_images:
            random.shuffle(open_images)
            image = min(open_images, key=lambda one: (of_question[captions.key(one, a, b)], of_image[one]))
            return placed(image, a, b, random)
    return None


def placed(image: str, a: str, b: str, random: Random) -> Question:
    return Question(image, a, b, random.choice(("a", "b")))


def most_telling(
    systems: Sequence[str], votes: Iterable[Vote], pending: Iterable[Question], random: Random
) -> list[tuple[str, str]]:
    """All pairs of systems; the one whose next vote narrows the ratings most comes first."""
    gains = information(wins_of(systems, votes, pending))
    pairs = list(combinations(range(len(systems)), 2))
    random.shuffle(pairs)  # of equal pairs, any comes first
    pairs.sort(key=lambda pair: -round(float(gains[pair]), 9))
    return [(systems[i], systems[j]) for i, j in pairs]


def wins_of(systems: Sequence[str], votes: Iterable[Vote], pending: Iterable[Question] = ()) -> Array:
    """[i, j]: how often system i won against j; a tie and an open question are half a win for each."""
    index = {name: number for number, name in enumerate(systems)}
    wins = np.zeros((len(systems), len(systems)))
    answered = [(vote.a, vote.b, vote.win_of_a) for vote in votes if vote.is_answer]
    for a, b, win_of_a in (*answered, *((question.a, question.b, 0.5) for question in pending)):
        if a in index and b in index:
            wins[index[a], index[b]] += win_of_a
            wins[index[b], index[a]] += 1 - win_of_a
    return wins


def information(wins: Array) -> Array:
    """[i, j]: by how much one more vote between i and j lessens the sum of the ratings' variances.

    A vote adds w x xᵀ to the curvature, where x is 1 at i and -1 at j and w = p (1 - p). By Sherman and
    Morrison, that takes w |C x|² / (1 + w xᵀ C x) from the trace of the covariance C.
    """
    ratings = ratings_of(wins)
    strengths = (ratings - MEAN) / SCALE
    covariance = covariance_of(wins, ratings) / SCALE**2
    expected = sigmoid(strengths[:, None] - strengths[None, :])
    weights = expected * (1 - expected)
    moved = covariance[:, :, None] - covariance[:, None, :]  # [:, i, j] is C x
    variances = np.diagonal(covariance)
    of_pair = variances[:, None] + variances[None, :] - 2 * covariance
    gains: Array = weights * (moved**2).sum(axis=0) / (1 + weights * of_pair)
    return gains
