"""The captions that the programs are given to write, each with its image's references: those of the demo.

The last reference of an image is its caption, and some texts are failures in the words of each program.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import evaluator

DEMO = Path(evaluator.__file__).parent / "demo" / "data" / "captions.json"


class Row(NamedTuple):
    """An image of COCO's format with what a system wrote about it."""

    id: int
    file_name: str
    references: list[str]
    text: str


def rows_of(captions: Mapping[int, str] | None, references: Path) -> list[Row]:
    """The images of a captions file; without one, each gets its last reference."""
    document = json.loads(references.read_bytes())
    texts: dict[int, list[str]] = defaultdict(list)
    for note in document["annotations"]:
        texts[note["image_id"]].append(note["caption"])
    names = {image["id"]: image["file_name"] for image in document["images"]}
    if captions is None:
        return [Row(number, name, texts[number][:-1], texts[number][-1]) for number, name in names.items()]
    return [Row(number, names[number], texts[number], text) for number, text in captions.items()]


def demo_rows(failures: tuple[str, ...]) -> list[Row]:
    """Three captions, and an image for each of these failures."""
    rows = rows_of(None, DEMO)[: 3 + len(failures)]
    return rows[:3] + [row._replace(text=text) for row, text in zip(rows[3:], failures, strict=True)]


def rows_of_files(captions: str, references: str) -> list[Row]:
    """The rows of a captions file in COCO's results format, and of references in COCO's format."""
    entries = json.loads(Path(captions).read_bytes())
    return rows_of({entry["image_id"]: entry["caption"] for entry in entries}, Path(references))
