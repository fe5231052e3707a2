"""A captioner and two scorers of one's own, as they stand in somebody's repository beside conf/.

The tests of the whole line take them through `--config-dir`, and read in their log what was asked of them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from evaluator.core import RUNTIME_ONLY, Item, Measurement, Outcome, Prompt, Reply
from evaluator.core.errors import CaptionError, MetricError


@dataclass(frozen=True)
class Scripted:
    """Says what `script` says of an image, {"1": "a dog", "2": {"refused": "I cannot"}}, else its id."""

    script: Path | None = field(default=None, metadata=RUNTIME_ONLY)
    log: Path | None = field(default=None, metadata=RUNTIME_ONLY)
    seconds: float = field(default=0.0, metadata=RUNTIME_ONLY)
    style: str = "plain"

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Session]:
        lines = json.loads(self.script.read_text(encoding="utf-8")) if self.script else {}
        yield Session(self, lines)


@dataclass(frozen=True)
class Session:
    options: Scripted
    lines: dict[str, str | dict[str, str]]

    def prepare(self, item: Item) -> str:
        return item.id

    def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
        time.sleep(self.options.seconds * len(prepared))
        append(self.options.log, prepared)
        return [self._reply(item_id) for item_id in prepared]

    def _reply(self, item_id: str) -> Reply | CaptionError:
        line = self.lines.get(item_id, f"a {self.options.style} picture of {item_id}")
        if isinstance(line, str):
            return Reply(line)
        ((outcome, text),) = line.items()
        return CaptionError(Outcome(outcome), f"the script says {outcome}", Reply(text))


@dataclass(frozen=True)
class Words:
    """The mean number of words of a caption."""

    log: Path | None = field(default=None, metadata=RUNTIME_ONLY)
    weight: float = 1.0

    @property
    def names(self) -> tuple[str, ...]:
        return ("Words",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        append(self.log, captions)
        words = [self.weight * len(caption.split()) for caption in captions]
        return [Measurement("Words", np.array([[n, 1.0] for n in words]), "mean", signature="Words")]


@dataclass(frozen=True)
class Unable:
    """A scorer that lacks what it needs."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("Unable-1", "Unable-2")

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        raise MetricError("its oracle is asleep. Type wake")


@dataclass(frozen=True)
class Broken:
    """A scorer with a mistake: it takes for granted that each image has a picture."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("Broken",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        lengths = [[len(item.image.name), 1.0] for item in items]  # type: ignore[union-attr]
        return [Measurement("Broken", np.array(lengths), "mean", signature="Broken")]


def append(log: Path | None, lines: Sequence[str]) -> None:
    """One line of JSON a call."""
    if log:
        with log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(list(lines)) + "\n")
