"""Marks that a person gave captions in the report: good or bad, with a note.

The report keeps them in the browser and exports them, one JSON object a line:

    {"run": "git-3f2a", "image": "42", "mark": "good", "note": "", "caption": "a dog on a sofa"}

A mark is of what is said about an image: it counts for every run that says just this, and for none that says
something else today. `run` tells a reader where the caption was marked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from typing_extensions import TypedDict

from evaluator.core.errors import DataError
from evaluator.core.printable import CONTROL_PICTURES
from evaluator.files.json_input import WrittenId, checked, image_id, parse_json, read_text

GOOD, BAD = "good", "bad"
MARKS = (GOOD, BAD, "")  # the last: a note alone

Marked = tuple[str, str]  # an image's id and a caption as a page holds it


@dataclass(frozen=True)
class HandMark:
    """What somebody thinks of one caption."""

    run: str
    image: str
    mark: str
    note: str
    caption: str


class Line(TypedDict):
    run: str
    image: WrittenId
    mark: str
    note: str
    caption: str


def read_marks(path: Path) -> list[HandMark]:
    """The marks in a file that the report exported. Raises DataError for another file."""
    found = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if not line.strip():
            continue
        entry = checked(parse_json(line, path, number), Line, f"{path}: line {number}")
        if entry["mark"] not in MARKS:
            raise DataError(f"{path}: line {number}: a mark is good or bad, found {entry['mark']!r}")
        image = image_id(entry["image"], f"{path}: line {number}")
        found.append(HandMark(entry["run"], image, entry["mark"], entry["note"], entry["caption"]))
    return found


def by_caption(marks: Iterable[HandMark]) -> Mapping[Marked, HandMark]:
    """The mark of each caption; of several the last one counts."""
    return {(mark.image, mark.caption): mark for mark in marks}


def as_marked(image: str, caption: str) -> Marked:
    r"""What the mark of a caption is found by: the caption as the page holds it.

    >>> as_marked("42", "a \x07dog")
    ('42', 'a ␇dog')
    """
    return image, caption.encode(errors="replace").decode().translate(CONTROL_PICTURES)


def tally(marks: Iterable[HandMark]) -> str:
    """How many captions are good and how many are bad.

    >>> tally([HandMark("git", "1", "good", "", "a dog"), HandMark("git", "2", "bad", "a cat", "a dog")])
    '1 good, 1 bad'
    """
    given: Sequence[str] = [mark.mark for mark in marks]
    return f"{given.count(GOOD):,} good, {given.count(BAD):,} bad"
