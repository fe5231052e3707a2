"""The values that everybody speaks of: items, prompts, replies, outcomes and captions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

# Metadata of a field that changes how fast or where captions are made, never what they say:
# it takes no part in a run's name and never blocks a resume.
NOT_IDENTITY: Mapping[str, bool] = MappingProxyType({"identity": False})


@dataclass(frozen=True)
class Item:
    """One image to caption, with what people wrote about it."""

    id: str
    image: Path | None
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prompt:
    """What a captioner is told besides the image. An empty text is a prompt too: GIT and BLIP need none."""

    kind: ClassVar[str] = "prompt"

    name: str
    text: str = ""
    system: str = ""
    shots: tuple[str, ...] = ()


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
        """Whether a further run could get this caption: the next one of the same folder asks again."""
        return self in (Outcome.ERROR, Outcome.SKIPPED)


@dataclass(frozen=True)
class Reply:
    """What a model said, and what the saying took, as it is billed."""

    text: str
    model_version: str = ""
    input_tokens: int | None = None  # all of them, those that the provider had cached too
    output_tokens: int | None = None  # all of them, reasoning too
    reasoning_tokens: int | None = None
    finish_reason: str = ""
    cached_input_tokens: int | None = None


@dataclass(frozen=True)
class Usage:
    """What one request may take, each as (at least, at most), known before it is sent."""

    model: str  # as the price table names it
    input_tokens: tuple[int, int]
    output_tokens: tuple[int, int]
    provider: str = ""  # whose account it counts against, for limits that all its models have


@dataclass(frozen=True)
class Caption:
    """One line of captions.jsonl: the outcome for one item."""

    item_id: str
    outcome: Outcome
    reply: Reply | None = None
    error: str = ""
    seconds: float = 0.0
    attempts: int = 1
    cost_usd: float | None = None
    source: Source = "model"
    answered_at: float | None = None  # Unix seconds, where many requests are on their way at once

    @property
    def text(self) -> str | None:
        """The caption to score, None where there is none."""
        return self.reply.text if self.outcome is Outcome.OK and self.reply else None
