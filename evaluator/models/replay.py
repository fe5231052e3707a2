"""Replay: captions from another program become a run like any other.

    evaluator run model=replay model.captions=results.json data=karpathy data.annotations=refs.json

An empty caption in the file is scored as empty, as pycocoevalcap does; an image that the file lacks is
`missing`, counted in the coverage and not scored. So is a failure that the program which wrote the file marks
there, with the outcome and the words that it gives.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from evaluator.captions_files.ids import (
    Match,
    NamedImage,
    match_ids,
    match_references,
    same_references,
)
from evaluator.captions_files.reader import (
    CaptionsFile,
    Failure,
    other_id_fields,
    read_captions,
    references_in,
)
from evaluator.core import Dataset, Item, Outcome, Prompt, Reply, Source, Splits
from evaluator.core.errors import CaptionError, DataError

logger = logging.getLogger(__name__)

# A file that has captions for nearly all images of the data set may have them for many others too.
NEARLY_ALL = 0.9


@dataclass(frozen=True)
class Replay:
    """Takes its captions from a file."""

    kind: ClassVar[str] = "replay"

    captions: Path
    id_field: str | None = None
    caption_field: str | None = None

    def for_data(self, data: Dataset | None, items: Sequence[Item]) -> ReplayForData:
        """The captioner for a whole data set, by which the file's ids are understood."""
        return ReplayForData(self._with_fitting_ids(items), data, tuple(items))

    def _with_fitting_ids(self, items: Sequence[Item]) -> Replay:
        """The same with another field for the ids, where only that one has the ids of the data set."""
        known, named = {item.id for item in items}, [NamedImage(item.id, item.file_name) for item in items]
        try:
            if self.id_field or match_ids(list(self.read().answers), named).of_item:
                return self
            others = [replace(self, id_field=field) for field in other_id_fields(self.captions)]
            fits = [other for other in others if len(known & other.read().answers.keys()) * 2 > len(known)]
        except DataError:  # which the check says
            return self
        return fits[0] if len(fits) == 1 else self

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return self.for_data(None, items).check(prompt, items)

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[ReplaySession]:
        yield ReplaySession(self.captions, self.read().answers)

    def read(self) -> CaptionsFile:
        """What the file holds, by its own ids. Raises DataError."""
        return read_captions(self.captions, self.id_field, self.caption_field)


@dataclass(frozen=True)
class ReplayForData:
    """A captions file and the data set that it is for."""

    file: Replay
    data: object  # the data set, whose other splits may fit better
    items: tuple[Item, ...]

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """Warnings: captions of unknown images are left out. Raises DataError where most are unknown."""
        match = self._match()
        for note in self.file.read().notes:
            logger.info("%s", note)
        if match.spelling:
            item_id, spelled = next(iter(match.of_item.items()))
            logger.info(
                "%s: the ids are matched by %s: %r is image %s",
                self.file.captions,
                match.spelling,
                spelled,
                item_id,
            )
        known = set(match.of_item.values())
        unknown = [item_id for item_id in self.file.read().answers if item_id not in known]
        if unknown:
            count = f"{len(unknown)} of {len(known) + len(unknown)} captions"
            return (
                f"{self.file.captions}: {count} are for images outside the data set, such as "
                f"{min(unknown)!r}; they are left out",
            )
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[ReplaySession]:
        answers = self.file.read().answers
        of_item = {item_id: answers[spelled] for item_id, spelled in self._match().of_item.items()}
        yield ReplaySession(self.file.captions, of_item)

    def _match(self) -> Match:
        """Raises DataError where most captions are for unknown images."""
        file = self.file.read()
        ids = list(file.answers)
        match = match_ids(ids, [NamedImage(item.id, item.file_name) for item in self.items])
        if file.by_number or 2 * len(match.of_item) < len(ids):
            match = self._by_references(match)
        known = len(match.of_item)
        if 2 * known >= len(ids) or (known and known >= NEARLY_ALL * len(self.items)):
            return match
        raise DataError(
            f"{self.file.captions}: {known or 'none'} of its {len(ids)} captions "
            f"{'is' if known < 2 else 'are'} for an image of the data set.\n"
            f"  ids in the file:     {_three(ids)}\n"
            f"  ids in the data set: {_three([item.id for item in self.items])}\n"
            f"{self._advice(ids)}"
        )

    def _by_references(self, match: Match) -> Match:
        """The match by the references in the file, where more images have theirs by it than by their ids."""
        of_file = references_in(self.file.captions, self.file.id_field, self.file.caption_field)
        of_data = {item.id: item.references for item in self.items}
        found = match_references(of_file, of_data)
        return found if len(found.of_item) > same_references(match, of_file, of_data) else match

    def _advice(self, ids: Sequence[str]) -> str:
        """The split of the data set's file that fits, if any."""
        if isinstance(self.data, Splits):
            for name, items in self.data.splits().items():
                match = match_ids(ids, [NamedImage(item.id, item.file_name) for item in items])
                if 2 * len(match.of_item) > len(ids):
                    return f"They are of another split. Type: data.split={name}"
        return (
            "Check that both are of the same data set and split. --id-field NAME takes the ids from another "
            "field"
        )


def _three(ids: Sequence[str]) -> str:
    return ", ".join(repr(item_id) for item_id in ids[:3])


@dataclass(frozen=True)
class ReplaySession:
    """A captions file that has been read: image id -> caption, or why there is none."""

    source: ClassVar[Source] = "file"

    path: Path
    answers: Mapping[str, str | Failure]

    def prepare(self, item: Item) -> str:
        return item.id

    def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
        return [self._answer(item_id) for item_id in prepared]

    def _answer(self, item_id: str) -> Reply | CaptionError:
        answer = self.answers.get(item_id)
        if isinstance(answer, str):
            return Reply(answer)
        if answer is None:
            return CaptionError(Outcome.MISSING, f"{self.path} has no caption for this image")
        return CaptionError(answer.outcome, answer.reason)
