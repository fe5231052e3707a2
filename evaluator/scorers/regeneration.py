"""Regeneration: an image generator draws the caption, and a CLIP compares what it drew with the original.

A caption that says what matters lets a generator draw a similar picture. The score is the cosine of the two
pictures' CLIP features, from -1 to 1: the measure that Gal et al. 2022 (https://arxiv.org/abs/2208.01618,
section 5) and later works call CLIP image similarity. It needs no references.

    evaluator run ... scorer=[cider,regeneration] scorer.regeneration.generator=gpt-image

The scorer itself only computes, as a judge does: whoever scores passes its questions through the runner.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge

from evaluator.config.choices import component_of_choice
from evaluator.config.identity import identity
from evaluator.core import (
    RUNTIME_ONLY,
    TYPED_ONLY,
    Caption,
    Item,
    Measurement,
    Outcome,
    Prompt,
    Question,
    Questionnaire,
    Runner,
    choice_of,
)
from evaluator.core.errors import MetricError
from evaluator.scorers.clip.checkpoint import load_encoder
from evaluator.scorers.clip.features import Encoder, Features
from evaluator.scorers.judge.choices import check_chat_model, label_of
from evaluator.scorers.judge.judge import LONGEST_NOTE, rows
from evaluator.scorers.judge.question import question_digest
from evaluator.scorers.signature import checkpoint_name, signature


@dataclass(frozen=True)
class Regeneration:
    """`generator` is one of conf/generator/ with these `options`; the other options are those of the CLIP."""

    kind: ClassVar[str] = "regeneration"
    group: ClassVar[str] = "scorer.regeneration"  # where its options stand

    generator: str = field(default="gpt-image", metadata=choice_of("generator"))
    options: Mapping[str, Any] = field(default_factory=dict, metadata=TYPED_ONLY)
    draws: Annotated[int, Ge(1)] = 1
    name: str | None = None
    checkpoint: str = field(default="openai/clip-vit-base-patch32", metadata=TYPED_ONLY)
    revision: str | None = field(default=None, metadata=TYPED_ONLY)
    device: str = field(default="auto", metadata=RUNTIME_ONLY)
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"
    batch_size: Annotated[int, Ge(1)] = field(default=64, metadata=RUNTIME_ONLY)
    safetensors_only: bool = field(default=True, metadata=TYPED_ONLY)
    config_dir: Path | None = field(default=None, metadata=RUNTIME_ONLY)

    def __post_init__(self) -> None:
        """Raises ConfigError for a generator that cannot be used."""
        _ = self.captioner

    @cached_property
    def captioner(self) -> Any:
        """The generator that is asked."""
        return component_of_choice(
            "generator", self.generator, self.options, self.config_dir, f"{self.group}.options"
        )

    @property
    def content(self) -> Mapping[str, Any]:
        """What the name of the generator stands for: it belongs to the identity of the scorer."""
        return {"generator": identity(self.captioner)}

    @property
    def names(self) -> tuple[str, ...]:
        label = label_of(self.name, {}) if self.name else label_of(self.generator, self.options)
        return (f"regeneration ({label})",)

    def check(self, runner: Runner) -> Sequence[str]:
        """Warnings. Raises an error for a missing key or package, and for a budget without a price."""
        prompt = Prompt(self.kind, "a caption")
        return check_chat_model(self.captioner, prompt, runner, f"{self.group}.options")

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Raises MetricError: it needs the generator's pictures."""
        raise MetricError("regeneration asks an image generator, and its captions were not passed to one")

    def questionnaire(self, items: Sequence[Item], captions: Sequence[str]) -> Questionnaire:
        """Each caption of an image with a picture, once per draw. Raises MetricError where there is none."""
        pairs = [
            (item, caption)
            for item, caption in zip(items, captions, strict=True)
            if can_be_drawn(item, caption)
        ]
        if not pairs:
            raise MetricError("regeneration needs the pictures: data.images=DIR, for a run of this machine")
        questions = [question for item, caption in pairs for question in self.questions_about(item, caption)]
        longest = max((caption for _, caption in pairs), key=lambda caption: len(caption.encode()))
        (name,) = self.names
        return Questionnaire(name, self.captioner, Prompt(self.kind, longest), questions)

    def questions_about(self, item: Item, caption: str) -> list[Question]:
        """The caption as the text to draw. The id says what is asked: another caption is another question."""
        digest = question_digest(self._asked_of, caption, None)
        return [
            Question(f"{item.id} #{draw + 1} {digest}", None, text=caption, draw=draw)
            for draw in range(self.draws)
        ]

    @cached_property
    def _asked_of(self) -> dict[str, Any]:
        return identity(self.captioner)

    def measure(
        self, items: Sequence[Item], captions: Sequence[str], answers: Mapping[str, Caption]
    ) -> list[Measurement]:
        """The cosines of the original with what was drawn, and why a caption has none."""
        asked = [
            [answers.get(question.id) for question in self.questions_about(item, caption)]
            if can_be_drawn(item, caption)
            else []
            for item, caption in zip(items, captions, strict=True)
        ]
        drawn = [[picture for each in draws if (picture := picture_in(each))] for draws in asked]
        cosines: list[list[float]] = [[] for _ in items]
        version = ""
        if places := [place for place, pictures in enumerate(drawn) if pictures]:
            encoder = self.encoder()
            version = encoder.version
            found = similarities(encoder, [(items[place].image, drawn[place]) for place in places])
            for place, values in zip(places, found, strict=True):
                cosines[place] = values
        notes = ["\n".join(dict.fromkeys(filter(None, map(reason_of, draws)))) for draws in asked]
        scored = [item for item, values in zip(items, cosines, strict=True) if values]
        (name,) = self.names
        return [
            Measurement(
                name,
                rows(cosines, self.draws),
                "mean" if self.draws == 1 else "mean-of-draws",
                signature(
                    name,
                    scored,
                    generator=self.captioner.model,
                    **({"size": self.captioner.size} if self.captioner.size else {}),
                    checkpoint=checkpoint_name(self.checkpoint),
                    version=version[:8],
                    dtype=self.dtype,
                    draws=self.draws,
                ),
                notes=notes if any(notes) else (),
            )
        ]

    def encoder(self) -> Encoder:
        """The loaded CLIP. Raises MetricError with the reason."""
        return load_encoder(self, "regeneration")


def can_be_drawn(item: Item, caption: str) -> bool:
    """Whether there is a text to draw, and a picture to compare it with."""
    return item.image is not None and bool(caption.strip())


def picture_in(answer: Caption | None) -> bytes:
    """The JPEG that the generator drew; empty where it drew none."""
    is_drawn = answer is not None and answer.outcome is Outcome.OK and answer.reply is not None
    return base64.b64decode(answer.reply.picture) if is_drawn and answer and answer.reply else b""


def reason_of(answer: Caption | None) -> str:
    """Why there is no picture; empty where there is one."""
    if answer is None:
        return "not scored: not asked yet"
    if answer.outcome is Outcome.OK:
        return ""
    return f"not scored: {answer.outcome}: {answer.error}"[:LONGEST_NOTE]


def similarities(
    encoder: Encoder, pictures: Sequence[tuple[Path | None, Sequence[bytes]]]
) -> list[list[float]]:
    """For each original, the cosine of each JPEG that was drawn; none where the original cannot be read."""
    with TemporaryDirectory() as name:
        drawn = [
            Path(name, f"{place}-{draw}.jpg")
            for place, (_, jpegs) in enumerate(pictures)
            for draw in range(len(jpegs))
        ]
        for path, jpeg in zip(drawn, (jpeg for _, jpegs in pictures for jpeg in jpegs), strict=True):
            path.write_bytes(jpeg)
        features = unit(encoder.images([*(original for original, _ in pictures), *drawn]))
    originals, rest = features[: len(pictures)], features[len(pictures) :]
    ends = np.cumsum([len(jpegs) for _, jpegs in pictures])
    return [
        [float(cosine) for cosine in of_original @ original if not np.isnan(cosine)]
        for original, of_original in zip(originals, np.split(rest, ends[:-1]), strict=True)
    ]


def unit(features: Features) -> Features:
    """Rows of length 1."""
    return np.asarray(features / np.linalg.norm(features, axis=1, keepdims=True))
