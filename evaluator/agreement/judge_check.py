"""How far a judge can be trusted, measured on captions at hand, each figure with an interval.

A judge is asked about the same captions again, and with changes that should not matter: the references in
another order, a preamble before the caption, a sentence behind it that has nothing to do with the picture.
Its scores are set against the captions' lengths, against another judge's, and against whose model wrote them.

Intervals resample images, since captions of one image are not independent.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from evaluator.comparison.bootstrap import percentile_interval
from evaluator.comparison.metric_agreement import ranks
from evaluator.core import Array, Caption, Item, Questionnaire
from evaluator.core.results import WithInterval
from evaluator.scorers.judge.judge import Judge
from evaluator.scorers.rouge import ROUGE

PREAMBLE = "Here is a caption: "
SENTENCE = " The library in the next town opens at nine."
# How the caption, or what it is judged against, is changed.
CHANGES: Mapping[str, Callable[[Item, str], tuple[Item, str]]] = {
    "order of the references": lambda item, text: (
        replace(item, references=tuple(reversed(item.references))),
        text,
    ),
    "preamble": lambda item, text: (item, PREAMBLE + text),
    "irrelevant sentence": lambda item, text: (item, text + SENTENCE),
}
# Who makes a model, by what its name begins with.
FAMILIES = {
    "gemini": "Google",
    "gemma": "Google",
    "paligemma": "Google",
    "gpt": "OpenAI",
    "chatgpt": "OpenAI",
    "claude": "Anthropic",
    "llama": "Meta",
    "qwen": "Alibaba",
    "qwq": "Alibaba",
    "mistral": "Mistral",
    "ministral": "Mistral",
    "pixtral": "Mistral",
    "grok": "xAI",
    "phi": "Microsoft",
    "llava": "LLaVA",
}


@dataclass(frozen=True)
class Sample:
    """One caption to ask about, and whose model wrote it."""

    item: Item
    caption: str
    model: str = ""


@dataclass(frozen=True)
class Finding(WithInterval):
    """One figure about a judge. Effects and differences are scores from 0 to 1, the others correlations."""

    check: str
    judge: str
    statistic: str
    value: float
    low: float
    high: float
    captions: int


def samples_for(runs: Sequence[tuple[str, Sequence[tuple[Item, str]]]], most: int, seed: int) -> list[Sample]:
    """The same images of each run, at most so many captions in all; `runs` are (model, captions)."""
    shared = set.intersection(*({item.id for item, _ in pairs} for _, pairs in runs))
    ids = sorted(shared) or sorted({item.id for _, pairs in runs for item, _ in pairs})
    wanted = max(1, most // len(runs))
    generator = np.random.default_rng([seed, 4])
    chosen = {ids[index] for index in generator.permutation(len(ids))[:wanted]}
    return [Sample(item, text, model) for model, pairs in runs for item, text in pairs if item.id in chosen]


def questions_for(judge: Judge, samples: Sequence[Sample], draws: int) -> Questionnaire:
    """Everything that a judge is asked, each question once."""
    asked = [replace(judge, draws=draws).questionnaire(*_pairs(samples, None))]
    asked += [judge.questionnaire(*_pairs(samples, change)) for change in CHANGES]
    questions = {question.id: question for each in asked for question in each.questions}
    longest = max(asked, key=lambda each: len(each.prompt.text.encode()))
    return replace(longest, questions=list(questions.values()))


def findings(
    judges: Sequence[tuple[Judge, Mapping[str, Caption]]],
    samples: Sequence[Sample],
    draws: int,
    resamples: int = 1000,
    seed: int = 0,
) -> list[Finding]:
    """Every figure about each judge, given its answers by the questions' ids."""
    images = _numbers([sample.item.id for sample in samples])
    lengths = np.array([float(len(sample.caption.split())) for sample in samples])
    agreement = agreement_with_references(samples)
    first = {judge.label: scores_of(judge, answers, samples) for judge, answers in judges}
    found: list[Finding] = []

    def add(
        check: str, judge: str, statistic: str, columns: Sequence[Array], of: Callable[..., float]
    ) -> None:
        found.append(measured(check, judge, statistic, columns, of, images, resamples, seed))

    for judge, answers in judges:
        scores = first[judge.label]
        for draw in range(1, draws):
            again = scores_of(judge, answers, samples, draw)
            names = f"draws 1 and {draw + 1}"
            add(names, judge.label, "correlation", [scores, again], spearman)
            add(names, judge.label, "mean distance", [np.abs(again - scores)], _mean)
        for change in CHANGES:
            if change == "order of the references" and not judge.rules.needs_references:
                continue
            moved = scores_of(judge, answers, samples, change=change) - scores
            if change == "order of the references":
                add(change, judge.label, "mean distance", [np.abs(moved)], _mean)
            add(change, judge.label, "effect", [moved], _mean)
        add("length", judge.label, "partial correlation", [scores, lengths, agreement], partial_spearman)
        own = np.array([float(family(sample.model) == family_of(judge)) for sample in samples])
        if 0 < own.sum() < len(own):
            add("own family", judge.label, "effect", [scores, own, agreement], adjusted_difference)
    for (one, _), (other, _) in combinations(judges, 2):
        names = f"{one.label} and {other.label}"
        columns = [first[one.label], first[other.label]]
        add("two judges", names, "correlation", columns, spearman)
        add("two judges", names, "mean difference", [columns[0] - columns[1]], _mean)
    return [one for one in found if one.captions]


def scores_of(
    judge: Judge,
    answers: Mapping[str, Caption],
    samples: Sequence[Sample],
    draw: int = 0,
    change: str | None = None,
) -> Array:
    """The score of each caption from 0 to 1 on the rubric's first metric; NaN where there is no verdict."""
    (field, *_), asked = judge.rules.metrics, replace(judge, draws=draw + 1)
    verdicts = [
        judge.judged(answers.get(asked.questions_about(item, text)[draw].id))
        for item, text in zip(*_pairs(samples, change), strict=True)
    ]
    return np.array([verdict.scores.get(field, math.nan) for verdict in verdicts])


def agreement_with_references(samples: Sequence[Sample]) -> Array:
    """ROUGE-L of each caption; zeros where an image has no references, so that nothing is held equal."""
    if not all(sample.item.references for sample in samples):
        return np.zeros(len(samples))
    (measurement,) = ROUGE().score(*_pairs(samples, None))
    scores: Array = measurement.per_image
    return scores


def measured(
    check: str,
    judge: str,
    statistic: str,
    columns: Sequence[Array],
    of: Callable[..., float],
    images: Array,
    resamples: int,
    seed: int,
) -> Finding:
    """The statistic over the captions that have all numbers, with its interval from resampled images."""
    known = np.isfinite(np.vstack(columns)).all(axis=0)
    columns, images = [column[known] for column in columns], images[known]
    if not known.any():
        return Finding(check, judge, statistic, math.nan, math.nan, math.nan, 0)
    rows_of = [np.flatnonzero(images == image) for image in np.unique(images)]
    generator = np.random.default_rng([seed, 5])
    drawn = (generator.integers(len(rows_of), size=len(rows_of)) for _ in range(resamples))
    values = []
    for picks in drawn:
        rows = np.concatenate([rows_of[pick] for pick in picks])
        values.append(of(*(column[rows] for column in columns)))
    resampled = np.array(values)
    low, high = percentile_interval(resampled, 0.95) if np.isfinite(resampled).any() else (math.nan, math.nan)
    return Finding(check, judge, statistic, of(*columns), low, high, int(known.sum()))


def spearman(one: Array, other: Array) -> float:
    """Spearman's rank correlation; NaN where one of the two is constant."""
    return _correlation(ranks(one), ranks(other))


def partial_spearman(scores: Array, lengths: Array, agreement: Array) -> float:
    """The rank correlation of score and length that is left at equal agreement with the references."""
    x, y, z = ranks(scores), ranks(lengths), ranks(agreement)
    return _correlation(_without(x, z), _without(y, z))


def adjusted_difference(scores: Array, own: Array, agreement: Array) -> float:
    """How much higher the judge scores its own family's captions, at equal agreement with the references."""
    if not 0 < own.sum() < len(own):
        return math.nan
    design = np.column_stack([np.ones(len(own)), own, agreement])
    return float(np.linalg.lstsq(design, scores, rcond=None)[0][1])


def family(model: str) -> str:
    """Who makes a model, by its name; the first word of the name where that is not known.

    >>> family("gemini-3.8-flash"), family("openai/gpt-5"), family("Qwen/Qwen3-VL-8B"), family("blip2")
    ('Google', 'OpenAI', 'Alibaba', 'blip')
    """
    name = model.rpartition("/")[2].lower()
    word = (re.match(r"[a-z]+", name) or re.match(r".*", name))[0]  # type: ignore[index]
    return FAMILIES.get(word, word)


def family_of(judge: Judge) -> str:
    return family(judge.asked_model)


def _pairs(samples: Sequence[Sample], change: str | None) -> tuple[list[Item], list[str]]:
    how = CHANGES[change] if change else lambda item, text: (item, text)
    changed = [how(sample.item, sample.caption) for sample in samples]
    return [item for item, _ in changed], [text for _, text in changed]


def _mean(values: Array) -> float:
    return float(values.mean())


def _correlation(one: Array, other: Array) -> float:
    one, other = one - one.mean(), other - other.mean()
    scale = math.sqrt(float((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / scale) if scale > 1e-12 else math.nan


def _without(values: Array, other: Array) -> Array:
    """The values without what a straight line through `other` explains."""
    other = other - other.mean()
    total = float((other**2).sum())
    centred = values - values.mean()
    slope = float((centred * other).sum()) / total if total > 0 else 0.0
    return np.asarray(centred - slope * other, np.float64)


def _numbers(names: Sequence[str]) -> Array:
    numbers: Array = np.unique(np.array(names), return_inverse=True)[1].astype(np.float64)
    return numbers
