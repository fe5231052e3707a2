"""The values that pass between all parts: items, prompts, replies, outcomes and captions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, Literal

# Marks an option that cannot change a caption or a score (device, batch size, where pictures lie). It is left
# out of the run's name and never blocks a resume.
RUNTIME_ONLY: Mapping[str, bool] = MappingProxyType({"identity": False, "recorded": False})
# Marks an option that names something to load, such as a checkpoint, and can change a score. Like those that
# are RUNTIME_ONLY, it is never taken from the config.yaml of a run folder, which may be somebody else's. In
# place of False, a function of the value says whether it may be taken.
TYPED_ONLY: Mapping[str, bool] = MappingProxyType({"recorded": False})

# Marks an option that a later version added. It belongs to a run's identity where it is not the default, so
# that runs of earlier versions keep theirs.
LEFT_OUT_BY_DEFAULT: Mapping[str, bool] = MappingProxyType({"left_out_by_default": True})


def choice_of(group: str) -> Mapping[str, Any]:
    """Marks an option that names a choice of a group in conf/. A list makes one component per choice."""
    return {"choice_of": group, "recorded": False}


@dataclass(frozen=True, slots=True)
class Item:
    """One image to caption, with the references that people wrote and its tags."""

    id: str
    image: Path | None
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    # What the data set calls the picture: by it, captions of other programs find their image.
    file_name: str = field(default="", compare=False)
    draw: int = 0  # above 0: the same image or question again, for another answer


@dataclass(frozen=True, slots=True)
class Question(Item):
    """A text to ask a chat model by itself, with the picture in `image` or without one.

    A runner takes questions like images to caption: an image to caption is asked about with the prompt that
    all images of a run share, and a question with its own text.
    """

    text: str = ""
    wants_probabilities: bool = False  # of the digits in the answer, where the server gives them


@dataclass(frozen=True)
class Shot:
    """An example for a chat model: another picture with the caption that it should get."""

    image: Path
    caption: str


@dataclass(frozen=True)
class Prompt:
    """What a captioner gets besides the image. The text may be empty: GIT and BLIP need none.

    An example is a caption alone, which shows the style, or a picture with its caption.
    """

    kind: ClassVar[str] = "prompt"

    name: str
    text: str = ""
    system: str = ""
    shots: tuple[str | Shot, ...] = ()

    @property
    def pictured(self) -> tuple[Shot, ...]:
        """The examples with pictures."""
        return tuple(shot for shot in self.shots if isinstance(shot, Shot))

    @property
    def request(self) -> str:
        """The text, followed by the example captions that have no picture, if any."""
        captions = [shot for shot in self.shots if isinstance(shot, str)]
        if not captions:
            return self.text
        lines = "\n".join(f"- {caption}" for caption in captions)
        return f"{self.text}\n\nCaptions of other images, as examples of the style:\n{lines}".strip()


# What the text of a prompt is: nothing, the beginning of the caption, "Question: ... Answer:", or a request.
PromptForm = Literal["none", "prefix", "question", "instruction"]

# Where a caption comes from: a model that was asked now, the cache of earlier answers, or a captions file.
Source = Literal["model", "cache", "file"]


class Outcome(StrEnum):
    """How the attempt to caption one image ended. Only `OK` is ever scored as a caption."""

    OK = "ok"
    EMPTY = "empty"
    TRUNCATED = "truncated"  # a cloud reply cut off; a local model at max_new_tokens is OK
    REFUSED = "refused"
    BLOCKED = "blocked"
    ERROR = "error"
    SKIPPED = "skipped"  # the budget was used up
    MISSING = "missing"  # a captions file lacks the image

    @property
    def can_be_retried(self) -> bool:
        """Whether another attempt may end in another way."""
        return self in (Outcome.ERROR, Outcome.SKIPPED)


@dataclass(frozen=True)
class TokenChoice:
    """One token of an answer that holds a digit, and what could have stood in its place."""

    start: int  # its first character in the answer
    token: str
    probabilities: Mapping[str, float]  # of the likeliest tokens, its own among them; each from 0 to 1


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's reply and the tokens it is billed for."""

    text: str
    model_version: str = ""
    input_tokens: int | None = None  # including those that the provider had cached
    output_tokens: int | None = None  # including reasoning
    reasoning_tokens: int | None = None
    finish_reason: str = ""
    cached_input_tokens: int | None = None
    whole_text: str = ""  # what the model wrote, where reasoning or chat markers were taken off the text
    token_choices: tuple[TokenChoice, ...] = ()  # within what the model wrote, where a question wants them
    # Where a grounded model sees what it names: the phrase and its left, top, right and bottom, from 0 to 1.
    boxes: tuple[tuple[str, float, float, float, float], ...] | None = None
    picture: str = field(default="", repr=False)  # that an image generator drew: a JPEG in base64


@dataclass(frozen=True)
class Usage:
    """The tokens that one request may take, as (at least, at most), known before it is sent."""

    model: str  # its name in the price table
    input_tokens: tuple[int, int]
    output_tokens: tuple[int, int]
    provider: str = ""  # whose limits and account it counts against
    pictures: int = 0  # that an image generator draws


@dataclass(frozen=True)
class WeightsSize:
    """How large the weights of a local model are, in bytes."""

    on_disk: int
    to_download: int  # 0 where they are on this machine


@dataclass(frozen=True)
class Placement:
    """Where a local model computes, and with which numbers."""

    device: str  # as torch calls it, such as cuda:0
    hardware: str = ""  # what its maker calls it; empty for the CPU
    dtype: str = ""  # of the weights, such as bfloat16


@dataclass(frozen=True)
class DeviceUse:
    """What a local model took on one device, in one command."""

    placement: Placement
    seconds_to_load: float
    peak_memory: int | None = None  # in bytes, weights included; None: the system does not say


@dataclass(frozen=True, slots=True)
class Caption:
    """One line of captions.jsonl: how the attempt to caption one item ended."""

    item_id: str
    outcome: Outcome
    reply: Reply | None = None
    error: str = ""
    seconds: float = 0.0
    attempts: int = 1
    cost_usd: float | None = None
    source: Source = "model"
    answered_at: float | None = None  # Unix seconds, for remote models, which have many requests in flight
    requests: tuple[int, ...] = ()  # of a remote model: their numbers in requests.jsonl; cost_usd is theirs

    @property
    def can_be_retried(self) -> bool:
        """Whether the next run of the same folder retries this image: a file says the same again."""
        return self.outcome.can_be_retried and self.source != "file"

    @property
    def text(self) -> str | None:
        """The caption to score; None for every outcome but OK."""
        return self.reply.text if self.outcome is Outcome.OK and self.reply else None
