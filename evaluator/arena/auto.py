"""A system against fixed baselines, by a judge: the score of CapArena-Auto (Cheng et al. 2025).

https://arxiv.org/abs/2503.12329: each image meets one of three baselines, a third of the images each. A
comparison that the system wins counts 1, one that it loses -1, and a tie 0. The score against a baseline is
the mean of its comparisons, from -100 to 100 here, and the score of the system the mean of the three.

docs/arena.md says what else is as in the paper, and what is not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluator.arena.choice import Captions, Question, plain_text
from evaluator.arena.votes import Vote
from evaluator.comparison.bootstrap import draw_counts, percentile_interval
from evaluator.core import Array
from evaluator.core.errors import DataError

POINTS = 100


@dataclass(frozen=True)
class AutoScore:
    """What a system scores against one baseline, or on average, from -100 to 100; 0 is as good."""

    against: str
    score: float
    low: float
    high: float
    comparisons: int
    won: int
    tied: int
    lost: int


def baseline_of(images: Sequence[str], baselines: Sequence[str]) -> dict[str, str]:
    """Which baseline each image meets: the same for every system, and each baseline equally often.

    >>> baseline_of(["1", "2", "3"], ["x", "y", "z"])
    {'3': 'x', '1': 'y', '2': 'z'}
    """
    order = sorted(images, key=lambda image: hashlib.sha256(image.encode("utf-8", "replace")).digest())
    return {image: baselines[number % len(baselines)] for number, image in enumerate(order)}


def comparisons(captions: Captions, system: str, baselines: Sequence[str], every: bool) -> list[Question]:
    """The system against one baseline on each image that it and all baselines captioned.

    With `every`, against each of the baselines. Which caption comes first is drawn by image and baseline.
    """
    fixed = [image for image, said in captions.of.items() if said.keys() >= set(baselines)]
    meets = baseline_of(fixed, baselines)
    return [
        Question(image, system, baseline, "a" if comes_first(image, baseline) else "b")
        for image in fixed
        if system in captions.of[image]
        for baseline in (baselines if every else [meets[image]])
    ]


def comes_first(image: str, baseline: str) -> bool:
    """Whether the system's caption comes first: drawn once, by a digest."""
    return hashlib.sha256(f"{image} {baseline}".encode("utf-8", "replace")).digest()[0] % 2 == 0


def ties_of(questions: Sequence[Question], captions: Captions) -> dict[Question, Vote]:
    """Ties that nobody need be asked about: both captions say the same."""
    return {
        question: Vote(question.image, question.a, question.b, "tie")
        for question in questions
        for said in [captions.of[question.image]]
        if plain_text(said[question.a]) == plain_text(said[question.b])
    }


def auto_scores(
    votes: Sequence[Vote], system: str, baselines: Sequence[str], resamples: int = 1000, seed: int = 0
) -> list[AutoScore]:
    """The score against each baseline, and last their mean; one vote for each comparison.

    Intervals (95 %) resample images. Raises DataError where no vote is against one of the baselines.
    """
    answered = [vote for vote in votes if vote.is_answer]
    images = {image: index for index, image in enumerate(dict.fromkeys(vote.image for vote in answered))}
    shape = (len(images), len(baselines))
    sums, counts = np.zeros(shape), np.zeros(shape)
    results: dict[str, list[int]] = {baseline: [] for baseline in baselines}
    for vote in answered:
        baseline = vote.b if vote.a == system else vote.a
        result = {system: 1, baseline: -1}.get(vote.preferred, 0)
        results[baseline].append(result)
        cell = images[vote.image], baselines.index(baseline)
        sums[cell] += result
        counts[cell] += 1
    if empty := [baseline for baseline in baselines if not results[baseline]]:
        raise DataError(f"the judge answered no question about {system} and {empty[0]}")
    drawn = np.concatenate([scores(each, sums, counts) for each in draw_counts(len(images), resamples, seed)])
    values = scores(np.ones((1, len(images))), sums, counts)[0]
    of_all = [*results.values(), [result for of_one in results.values() for result in of_one]]
    return [
        AutoScore(name, float(value), *percentile_interval(of_resamples, 0.95), *tally(of_name))
        for name, value, of_resamples, of_name in zip(
            (*baselines, "mean"), values, drawn.T, of_all, strict=True
        )
    ]


def scores(weights: Array, sums: Array, counts: Array) -> Array:
    """(resamples, baselines + 1): the score against each baseline, and their mean; NaN if none is drawn."""
    with np.errstate(invalid="ignore", divide="ignore"):
        each = POINTS * (weights @ sums) / (weights @ counts)
    return np.column_stack([each, each.mean(axis=1)])


def tally(results: Sequence[int]) -> tuple[int, int, int, int]:
    """How many comparisons there are, and how many are won, tied and lost."""
    return len(results), results.count(1), results.count(0), results.count(-1)
