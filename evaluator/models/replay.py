"""Replay: captions from another program, in COCO's results format, become a run like any other.

    evaluator run model=replay model.captions=results.json data=karpathy data.annotations=refs.json

An empty caption in the file is scored as empty, as pycocoevalcap does; an image that the file lacks is
`missing`, counted in the coverage and not scored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from evaluator.captions_files.reader import read_captions
from evaluator.core import Item, Outcome, Prompt, Reply, Source
from evaluator.core.errors import CaptionError, DataError


@dataclass(frozen=True)
class Replay:
    """Takes its captions from a file."""

    kind: ClassVar[str] = "replay"

    captions: Path

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """A warning for captions of unknown images, which are left out; an error if no caption fits."""
        captions = read_captions(self.captions)
        unknown = captions.keys() - {item.id for item in items}
        if items and len(unknown) == len(captions):
            raise DataError(
                f"{self.captions} holds {len(captions)} captions and none is for an image of the data set: "
                f"its image ids begin with {next(iter(captions), 'nothing')!r}, the data set's with "
                f"{items[0].id!r}. Check that both are of the same split"
            )
        if unknown:
            return (
                f"{self.captions}: {len(unknown)} of {len(captions)} captions are for images outside "
                f"the data set, such as {min(unknown)!r}; they are left out",
            )
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[ReplaySession]:
        yield ReplaySession(self.captions, read_captions(self.captions))


@dataclass(frozen=True)
class ReplaySession:
    """A captions file that has been read."""

    source: ClassVar[Source] = "file"

    path: Path
    captions: Mapping[str, str]

    def prepare(self, item: Item) -> str:
        return item.id

    def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
        return [
            Reply(self.captions[item_id])
            if item_id in self.captions
            else CaptionError(Outcome.MISSING, f"{self.path} has no caption for image {item_id}")
            for item_id in prepared
        ]
