"""Any document as rows: one object per caption or per image, and where each is in the file.

[{"image_id": 42, "caption": "a dog"}, ...]      a list of objects, or a table: as it is
{"annotations": [{...}, ...]}                    a list within an object, under one of WRAPPERS
{"42": "a dog"}, {"42": ["a dog", "a pet"]}      a mapping by id, also of objects
[["42", "a dog"], ...]                           a list of pairs
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator.captions_files.container import Content
from evaluator.captions_files.fields import CAPTIONS, IDS, OTHER_TEXTS, PREDICTIONS, plain
from evaluator.captions_files.programs import program_of
from evaluator.core.errors import DataError
from evaluator.files.json_input import describe

# Where a list lies within an object.
WRAPPERS = (
    *("annotations", "results", "predictions", "captions", "data", "samples", "outputs", "items"),
    *("records", "rows", "answers", "responses", "questions", "images"),
)
EXPECTED = (
    'expected a list [{"image_id": 42, "caption": "a dog"}, ...], a mapping {"42": "a dog", ...}, JSON Lines '
    "or a table with the columns image_id and caption"
)


@dataclass(frozen=True)
class IndexPlaces(Sequence[str]):
    """The place of each entry of a list, made when a message needs it.

    >>> IndexPlaces("annotations", 3)[2]
    'annotations[2]'
    """

    prefix: str
    length: int

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: Any) -> Any:
        return f"{self.prefix}[{range(self.length)[index]}]"


@dataclass(frozen=True)
class Rows:
    """The rows of a file, flat, each with its place."""

    content: Content
    entries: Sequence[Mapping[str, Any]]
    places: Sequence[str]
    program: str = ""  # the program that wrote them, where its form is known
    shape: str = ""  # what the document is, where it is no list of rows

    @property
    def kind(self) -> str:
        """What the file is, for a message."""
        shape = f" ({self.shape})" if self.shape and not self.program else ""
        return f"{self.content.kind} of {self.program}" if self.program else f"{self.content.kind}{shape}"

    @property
    def is_plain(self) -> bool:
        """Whether the file is of the ordinary kind, which needs no note."""
        return self.kind in ("JSON", "JSON Lines", "CSV")


def rows_of(content: Content) -> Rows:
    """The rows of a document. Raises DataError where it has another form."""
    document, prefix, shape = content.document, "", ""
    while isinstance(document, dict):
        if key := _wrapper(document):
            document, prefix = document[key], f"{prefix}.{key}" if prefix else key
            shape = f"the entries of {prefix!r}"
        elif _is_record(document):
            document = [document]
        elif pairs := _pairs(document):
            return _flat(
                content, list(pairs.values()), [prefix + place for place in pairs], "a mapping by id"
            )
        else:
            raise DataError(f"{content.path}: {EXPECTED}; found {describe(document)}")
    if not isinstance(document, list):
        raise DataError(f"{content.path}: {EXPECTED}; found {describe(document)}")
    if document and all(isinstance(entry, list) and len(entry) == 2 for entry in document):
        document = [{"image_id": item_id, "caption": text} for item_id, text in document]
        shape = "a list of pairs"
    places = content.places if document is content.document and content.places else None
    return _flat(content, document, places or IndexPlaces(prefix, len(document)), shape)


def _flat(content: Content, entries: Sequence[Any], places: Sequence[str], shape: str) -> Rows:
    if odd := next((n for n, entry in enumerate(entries) if not isinstance(entry, dict)), None):
        raise _not_a_row(content, entries[odd], places[odd])
    if entries and not isinstance(entries[0], dict):
        raise _not_a_row(content, entries[0], places[0])
    if program := program_of(entries):
        return Rows(content, [program.row(entry) for entry in entries], places, program.name)
    return Rows(content, entries, places, shape=shape)


def _not_a_row(content: Content, entry: Any, place: str) -> DataError:
    return DataError(
        f"{content.path}: {place}: expected an object with 'image_id' and 'caption', found {describe(entry)}"
    )


def _wrapper(document: Mapping[str, Any]) -> str | None:
    """The key of the list of rows, or of the object that holds it or is a mapping by id."""
    inner = {key: document[key] for key in WRAPPERS if key in document}
    for key, value in inner.items():
        if isinstance(value, list) and (value or not any(document.values())) and not _is_texts(value):
            return key
    for key, value in inner.items():
        if isinstance(value, dict) and (_wrapper(value) or _pairs(value)) and not _pairs(document):
            return key
    return None


def _is_texts(values: Sequence[Any]) -> bool:
    return bool(values) and all(isinstance(value, str) for value in values)


def _is_record(document: Mapping[str, Any]) -> bool:
    """Whether an object is one row, and not a mapping by id."""
    names = {plain(key) for key in document}
    return bool(names & set(IDS)) and bool(names & {*CAPTIONS, *PREDICTIONS, *OTHER_TEXTS})


def _pairs(document: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The rows of a mapping by id, under their places; empty where it is none."""
    kinds = {type(value) for value in document.values()}
    if not kinds or len(kinds - {type(None)}) != 1 or not kinds <= {str, list, dict, type(None)}:
        return {}
    if kinds == {dict}:
        return {f".{key}": {**value, "image_id": key} for key, value in document.items()}
    return {f".{key}": {"image_id": key, "caption": value} for key, value in document.items()}
