"""A chat model as a judge of captions (docs/judges.md).

    evaluator run ... scorer=[cider,judge] scorer.judge.model=gemini scorer.judge.rubric=clair

The judge itself only computes: the questions that are to be asked, and what the answers say. Whoever scores
passes the questions through the runner and keeps the answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar

import numpy as np
from annotated_types import Ge

from evaluator.config.identity import identity
from evaluator.core import (
    RUNTIME_ONLY,
    TYPED_ONLY,
    Array,
    Caption,
    Item,
    Measurement,
    Outcome,
    Prompt,
    Question,
    Questionnaire,
    Runner,
    Samples,
    Signature,
    choice_of,
)
from evaluator.core.errors import MetricError
from evaluator.scorers.judge.answer import Unreadable, read_answer
from evaluator.scorers.judge.chat_judge import ChatJudge
from evaluator.scorers.judge.choices import label_of
from evaluator.scorers.judge.question import question_text
from evaluator.scorers.judge.rubric import Rubric
from evaluator.scorers.judge.smoothing import expected_number
from evaluator.scorers.signature import signature

LONGEST_NOTE = 2000  # characters


@dataclass(frozen=True)
class Judge(ChatJudge[Rubric]):
    """`model` is a chat model of conf/model/ with these `options`, `rubric` one of conf/rubric/ or a file."""

    kind: ClassVar[str] = "judge"
    rubric_class: ClassVar[type[Rubric]] = Rubric
    options_prefix: ClassVar[str] = "scorer.judge.options"

    model: str = field(metadata=choice_of("model"))
    rubric: str = field(default="clair", metadata=choice_of("rubric"))
    options: Mapping[str, Any] = field(default_factory=dict, metadata=TYPED_ONLY)
    draws: Annotated[int, Ge(1)] = 1
    name: str | None = None
    config_dir: Path | None = field(default=None, metadata=RUNTIME_ONLY)

    @property
    def content(self) -> Mapping[str, Any]:
        """What the names of model and rubric stand for: it belongs to the identity of the judge."""
        return {"model": identity(self.captioner), "rubric": self.rules.digest}

    @property
    def label(self) -> str:
        """What tables call the judge: the choice, or the model that was named for a server."""
        return re.sub(r"[()|]", "", self.name) if self.name else label_of(self.model, self.options)

    @property
    def asked_model(self) -> str:
        """The model's name at its provider or on the hub."""
        named = (getattr(self.captioner, name, None) for name in ("model", "checkpoint"))
        return str(next(filter(None, named), self.model))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"{metric} ({self.label})" for metric in self.rules.metrics.values())

    def check(self, runner: Runner) -> Sequence[str]:
        """Those of its model; also where several draws would be the same."""
        warnings = list(super().check(runner))
        fixed_by = self.captioner.fixed_by() if isinstance(self.captioner, Samples) else "its own options"
        if self.draws > 1 and fixed_by:
            warnings.append(
                f"scorer.judge.draws={self.draws}: with {fixed_by} the model gives nearly the same "
                "answer each time. Draws need a model whose temperature is above 0"
            )
        return warnings

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Raises MetricError: a judge needs answers."""
        raise MetricError("a judge asks a model, and its questions were not passed to one")

    def questionnaire(self, items: Sequence[Item], captions: Sequence[str]) -> Questionnaire:
        """The questions about the captions that can be judged. Raises MetricError where none can."""
        questions = [
            question
            for item, caption in zip(items, captions, strict=True)
            if not self.lack(item)
            for question in self.questions_about(item, caption)
        ]
        if not questions:
            raise MetricError(next(filter(None, map(self.lack, items)), "there is no caption to judge"))
        longest = max(questions, key=lambda question: len(question.text.encode())).text
        name = f"{self.label}-{Path(self.rubric).stem}"
        return Questionnaire(name, self.captioner, Prompt(self.rubric, longest, self.rules.system), questions)

    def lack(self, item: Item) -> str:
        """What the rubric needs and the image does not have; empty where nothing is missing."""
        if self.rules.needs_references and not item.references:
            return f"the rubric {self.rubric} needs references"
        if self.rules.picture and item.image is None:
            return f"the rubric {self.rubric} needs the pictures: data.images=DIR, for a run of this machine"
        return ""

    def questions_about(self, item: Item, caption: str) -> list[Question]:
        """One question per draw. Its id says what it asks: another caption makes another question."""
        text = question_text(self.rules, caption, item.references)
        picture = item.image if self.rules.picture else None
        digest = self.digest_of_question(text, picture)
        return [
            Question(
                f"{item.id} #{draw + 1} {digest}",
                picture,
                text=text,
                draw=draw,
                wants_probabilities=self.rules.probabilities,
            )
            for draw in range(self.draws)
        ]

    def measure(
        self, items: Sequence[Item], captions: Sequence[str], answers: Mapping[str, Caption]
    ) -> list[Measurement]:
        """Each metric of the rubric, from 0 to 1, with what the judge wrote about each caption."""
        fields = tuple(self.rules.metrics)
        judged: list[list[Judged]] = []
        for item, caption in zip(items, captions, strict=True):
            if lack := self.lack(item):
                judged.append([Judged(note=f"not scored: {lack}")])
            else:
                asked = self.questions_about(item, caption)
                judged.append([self.judged(answers.get(question.id)) for question in asked])
        scored = [
            item for item, draws in zip(items, judged, strict=True) if any(draw.scores for draw in draws)
        ]
        notes = [note_of(draws) for draws in judged]
        smoothed = any(draw.is_smoothed for draws in judged for draw in draws)
        return [
            Measurement(
                name,
                rows([[draw.scores[field] for draw in draws if draw.scores] for draws in judged], self.draws),
                "mean" if self.draws == 1 else "mean-of-draws",
                self.signature(name, scored, smoothed),
                notes=notes,
            )
            for name, field in zip(self.names, fields, strict=True)
        ]

    def judged(self, answer: Caption | None) -> Judged:
        """What one answer says."""
        if answer is None:
            return Judged(note="not scored: not asked yet")
        text = answer.reply.text if answer.reply else ""
        if answer.outcome is not Outcome.OK:
            return Judged(note=f"not scored: {answer.outcome}: {answer.error} {text}".strip()[:LONGEST_NOTE])
        rules = self.rules
        try:
            verdict = read_answer(text, tuple(rules.metrics), rules.least, rules.most)
        except Unreadable as problem:
            return Judged(note=f"not scored: {problem}. The answer: {text}"[:LONGEST_NOTE])
        assert answer.reply is not None
        scores, is_smoothed = dict(verdict.scores), False
        if choices := answer.reply.token_choices:
            written = answer.reply.whole_text or text
            offset = max(0, written.rfind(text))
            for name, (start, end) in verdict.places.items():
                expected = expected_number(written, (start + offset, end + offset), choices)
                if expected is not None:
                    scores[name], is_smoothed = min(max(expected, rules.least), rules.most), True
        shares = {name: rules.share(score) for name, score in scores.items()}
        return Judged(shares, verdict.reason[:LONGEST_NOTE], is_smoothed)

    def signature(self, name: str, scored: Sequence[Item], is_smoothed: bool) -> Signature:
        """How to ask the same: the model, the rubric with the digest of its text, draws, picture or not."""
        rules, temperature = self.rules, getattr(self.captioner, "temperature", None)
        return signature(
            name,
            scored,
            judge=self.asked_model,
            **({} if temperature is None else {"temperature": temperature}),
            rubric=f"{Path(self.rubric).stem}-{rules.digest}",
            picture="yes" if rules.picture else "no",
            **({"smoothing": "tokens" if is_smoothed else "none"} if rules.probabilities else {}),
            draws=self.draws,
        )


@dataclass(frozen=True)
class Judged:
    """What one draw says of a caption: a score by field from 0 to 1, none where there is no verdict."""

    scores: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    is_smoothed: bool = False


def note_of(draws: Sequence[Judged]) -> str:
    """What the judge wrote: of several draws, each different text once."""
    return "\n".join(filter(None, dict.fromkeys(draw.note for draw in draws)))


def rows(draws: Sequence[Sequence[float]], asked: int) -> Array:
    """The rows of aggregate `mean`, (images, 2), or of `mean-of-draws`, (images, 3).

    The third number is the variance of an image's mean over its draws. An image with a single draw has that
    of the others' draws on average.
    """
    means = np.array([[np.mean(each), 1.0] if each else [0.0, 0.0] for each in draws]).reshape(-1, 2)
    if asked == 1:
        return means
    variances = [np.var(each, ddof=1) for each in draws if len(each) > 1]
    usual = float(np.mean(variances)) if variances else 0.0
    spread = [
        (float(np.var(each, ddof=1)) if len(each) > 1 else usual) / len(each) if each else 0.0
        for each in draws
    ]
    return np.column_stack([means, spread])
