"""Captions that other programs wrote, one per image, from whatever file people keep them in.

    [{"image_id": 42, "caption": "A dog lies on shoes."}, ...]      COCO's results format
    {"image_id": 42, "caption": "A dog lies on shoes."}             JSON Lines
    image_id,caption                                                a table: CSV, TSV, Excel, Parquet
    {"42": "A dog lies on shoes."}                                  a mapping

docs/files.md lists what else is read. The text is kept exactly as it is, line breaks included: each metric
decides what it makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from evaluator.captions_files.container import read_content
from evaluator.captions_files.fields import (
    IDS,
    ROW_NUMBERS,
    Names,
    can_be_id,
    caption_field,
    id_field,
    names_of,
    plain,
    references_field,
)
from evaluator.captions_files.rows import Rows, rows_of
from evaluator.captions_files.texts import one_text, several_texts
from evaluator.core import Outcome
from evaluator.core.errors import DataError
from evaluator.files.json_input import describe, image_id, located

# The form that needs no explanation.
USUAL = ("image_id", "caption")
SHOWN = 80  # characters of a failure in a note

FAILURES = frozenset(outcome.value for outcome in Outcome if outcome is not Outcome.OK)


@dataclass(frozen=True)
class Failure:
    """Why an image has no caption, by the program that wrote the file."""

    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class CaptionsFile:
    """Image id, as the file spells it, -> caption, and -> failure; each in the order of the file."""

    captions: Mapping[str, str]
    failures: Mapping[str, Failure]
    notes: tuple[str, ...] = ()  # how the file was read, where that is not plain
    by_number: bool = False  # the ids are the numbers of rows, which say little about the image

    @property
    def answers(self) -> Mapping[str, str | Failure]:
        return {**self.captions, **self.failures} if self.failures else self.captions


def read_captions(path: Path, id_from: str | None = None, caption_from: str | None = None) -> CaptionsFile:
    """The captions of a file; the fields with id and caption are found, or given by name.

    Raises DataError that says what the file is, where the mistake is, and what to type. Files are remembered:
    all of a command are checked before the first one is replayed.
    """
    try:
        status = path.stat()
    except (OSError, ValueError):
        return _read(path, id_from, caption_from)  # which says what is wrong
    return _read(path, id_from, caption_from, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)
def _read(path: Path, id_from: str | None, caption_from: str | None, *state: int) -> CaptionsFile:
    rows = rows_of(read_content(path))
    if not rows.entries:
        raise DataError(f"{path}: the file holds no captions")
    names = names_of(path, rows.entries)
    of_id = id_field(names, id_from)
    of_caption = caption_field(names, caption_from, of_id) or _instead(names, of_id)
    captions: dict[str, str] = {}
    failures: dict[str, Failure] = {}
    first: dict[str, int] = {}
    repeats, differing = 0, None
    for index, row in enumerate(rows.entries):
        item_id = row_id(rows, index, of_id)
        text = row.get(of_caption)
        if not text and row.get("outcome") in FAILURES:
            failures[item_id] = Failure(Outcome(row["outcome"]), str(row.get("error", "")))
            continue
        if not isinstance(text, str):
            text = _text(rows, index, of_caption)
        if item_id not in captions:
            captions[item_id], first[item_id] = text, index
        else:
            repeats += 1
            if differing is None and captions[item_id] != text:
                differing = index, item_id
    if differing is not None:
        index, item_id = differing
        if repeats >= len(captions) > 1:
            raise DataError(_is_references(path, f"image {item_id} and others have several texts"))
        raise DataError(
            f"{path}: {rows.places[index]}: image {item_id} already has another caption, at "
            f"{rows.places[first[item_id]]}. Keep one caption per image"
        )
    notes = [*rows.content.notes]
    if not rows.is_plain or (of_id, of_caption) != USUAL:
        fields = f": {of_id!r} is the image id, {of_caption!r} the caption"
        notes.insert(0, f"read as {rows.kind}{fields if (of_id, of_caption) != USUAL else ''}")
    failures = {item_id: failure for item_id, failure in failures.items() if item_id not in captions}
    if failures:
        notes.append(_said_of(failures, len(captions)))
    if repeats:
        notes.append(f"{repeats} captions stand there twice, and count once")
    by_number = plain(of_id) in ROW_NUMBERS
    return CaptionsFile(captions, failures, tuple(f"{path}: {note}" for note in notes), by_number)


def other_id_fields(path: Path) -> list[str]:
    """The fields that could hold the image's id besides the one that is taken, as capevalkit's `id`."""
    names = names_of(path, rows_of(read_content(path)).entries)
    taken = id_field(names, None)
    known = [name for name in IDS if name not in ROW_NUMBERS]
    return [field for field in names.all(known, can_be_id) if field != taken]


def references_in(path: Path, id_from: str | None, caption_from: str | None) -> Mapping[str, Sequence[str]]:
    """Image id -> the references that a captions file holds as well; empty where it holds none."""
    rows = rows_of(read_content(path))
    names = names_of(path, rows.entries)
    of_id = id_field(names, id_from)
    field = references_field(names, None, caption_field(names, caption_from, of_id), of_id)
    if field is None:
        return {}
    return {
        row_id(rows, index, of_id): several_texts(row.get(field)) or ()
        for index, row in enumerate(rows.entries)
    }


def _said_of(failures: Mapping[str, Failure], captions: int) -> str:
    first = next(iter(failures.values()))
    shown = first.reason if len(first.reason) <= SHOWN else f"{first.reason[: SHOWN - 1]}…"
    count = f"{len(failures):,} of its {len(failures) + captions:,}"
    return f"{count} captions are failures and not scored, such as {shown!r} ({first.outcome})"


def _instead(names: Names, of_id: str) -> str:
    """`caption` where no field holds captions: the place of its first value tells more. Raises DataError."""
    if field := references_field(names, None, None, of_id):
        raise DataError(_is_references(names.path, f"{field!r} holds several texts per image"))
    if "caption" in names.present:
        return names.present["caption"]
    raise DataError(
        f"{names.path}: no field holds captions: looked for caption, prediction, text, output and the like. "
        f"{names.listed()}. Name it: --caption-field NAME"
    )


def _is_references(path: Path, reason: str) -> str:
    return (
        f"{path}: this is a file of references, not of captions: {reason}. "
        f"Type: evaluator score CAPTIONS --references {path}"
    )


def row_id(rows: Rows, index: int, field: str) -> str:
    """The id of a row's image as text: 42, 42.0 and "42" are the same. Raises DataError."""
    value = rows.entries[index].get(field)
    if type(value) is float and value.is_integer():
        value = int(value)
    if isinstance(value, str) and "JSON" not in rows.content.kind:
        value = value.strip()  # a cell of a table
    if type(value) is int or (isinstance(value, str) and value):
        return image_id(value, rows.content.path, rows.places[index], field)
    raise wrong_value(rows, index, field, "an image id, which is a whole number or a text")


def wrong_value(rows: Rows, index: int, field: str, wanted: str) -> DataError:
    """What is wrong with a field of a row."""
    row, place = rows.entries[index], rows.places[index]
    if field not in row:
        return DataError(f"{rows.content.path}: {place}: {field!r} is missing: found {describe(row)}")
    where = located(rows.content.path, place, field)
    if _is_missing(value := row[field]):
        found = "null" if value is None else "NaN"
        return DataError(
            f"{where}: expected {wanted}, found {found}. Leave the image out, or write an empty text"
        )
    return DataError(f"{where}: expected {wanted}, found {describe(value)}")


def _text(rows: Rows, index: int, field: str) -> str:
    """The caption of a row where it is not simply a text."""
    value = rows.entries[index].get(field)
    if (text := one_text(value)) is not None:
        return text
    raise wrong_value(rows, index, field, "text")


def _is_missing(value: Any) -> bool:
    """Whether a value is null, or the NaN that pandas writes for it."""
    return value is None or value != value
