"""Captions made elsewhere, in COCO's results format (https://cocodataset.org/#format-results), JSONL or CSV.

    [{"image_id": 42, "caption": "A dog lies on shoes."}, ...]      results.json
    {"image_id": 42, "caption": "A dog lies on shoes."}             results.jsonl, one object a line
    image_id,caption                                                results.csv, with this head
    42,A dog lies on shoes.

The text is kept exactly as it is, line breaks and all: what a metric makes of it is the metric's affair.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evaluator.core.errors import DataError
from evaluator.files.json_input import describe, image_id, member, parse_json, read_json, read_text, text

EXPECTED = '[{"image_id": 42, "caption": "A dog."}, ...]'


def read_captions(path: Path) -> dict[str, str]:
    """Image id -> caption, in the order of the file. Raises DataError with the place of what is wrong."""
    entries = {".jsonl": _lines, ".csv": _rows}.get(path.suffix.lower(), _list)
    captions: dict[str, str] = {}
    places: dict[str, str] = {}
    for place, entry in entries(path):
        where = f"{path}: {place}"
        item_id = image_id(member(entry, "image_id", where), f"{where}.image_id")
        if item_id in captions:
            raise DataError(
                f"{where}: image {item_id} has a caption already, at {places[item_id]}. "
                "Keep one caption an image"
            )
        captions[item_id], places[item_id] = text(entry, "caption", where), place
    return captions


def _list(path: Path) -> Iterator[tuple[str, Any]]:
    document = read_json(path)
    if not isinstance(document, list):
        raise DataError(f"{path}: expected a list {EXPECTED}, found {describe(document)}")
    return ((f"[{index}]", entry) for index, entry in enumerate(document))


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    # Only "\n" ends a line: a caption may hold U+2028 as it is.
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if line.strip():
            yield f"line {number}", parse_json(line, path, number)


def _rows(path: Path) -> Iterator[tuple[str, Any]]:
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""))
    if not {"image_id", "caption"} <= set(rows.fieldnames or ()):
        raise DataError(
            f"{path}: expected the head image_id,caption, found {','.join(rows.fieldnames or ())!r}"
        )
    try:
        for row in rows:
            yield f"line {rows.line_num}", row
    except csv.Error as error:
        raise DataError(f"{path}: line {rows.line_num}: {error}") from error
