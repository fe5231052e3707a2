"""Captions from other programs: COCO's results format (https://cocodataset.org/#format-results), JSONL, CSV.

    [{"image_id": 42, "caption": "A dog lies on shoes."}, ...]      results.json
    {"image_id": 42, "caption": "A dog lies on shoes."}             results.jsonl, one object per line
    image_id,caption                                                results.csv, with this header
    42,A dog lies on shoes.

The text is kept exactly as it is, line breaks included: each metric decides what it makes of it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from evaluator.core.errors import DataError
from evaluator.files.json_input import WrittenId, checked, describe, image_id, parse_json, read_text


class Entry(TypedDict):
    image_id: WrittenId
    caption: str


def read_captions(path: Path) -> Mapping[str, str]:
    """Image id -> caption, in the order of the file. Raises DataError that says where the mistake is.

    The last file is remembered: it is checked before the run begins, and then replayed.
    """
    try:
        status = path.stat()
    except OSError:
        return _read(path)  # which says what is wrong
    return _read(path, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=1)
def _read(path: Path, *state: int) -> Mapping[str, str]:
    read = {".jsonl": _lines, ".csv": _rows}.get(path.suffix.lower(), _list)
    captions: dict[str, str] = {}
    first: dict[str, str] = {}
    for location, entry in checked(read(path), dict[str, Entry], path).items():
        item_id = image_id(entry["image_id"], path, location, "image_id")
        if item_id in captions:
            raise DataError(
                f"{path}: {location}: image {item_id} already has a caption, at {first[item_id]}. "
                "Keep one caption per image"
            )
        captions[item_id], first[item_id] = entry["caption"], location
    return captions


def _list(path: Path) -> dict[str, Any]:
    """Each entry under its location in the file."""
    document = parse_json(read_text(path), path)
    if not isinstance(document, list):
        expected = '[{"image_id": 42, "caption": "A dog."}, ...]'
        raise DataError(f"{path}: expected a list {expected}, found {describe(document)}")
    return {f"[{index}]": entry for index, entry in enumerate(document)}


def _lines(path: Path) -> dict[str, Any]:
    # Only "\n" ends a line: a caption may contain U+2028.
    lines = enumerate(read_text(path).split("\n"), start=1)
    return {f"line {number}": parse_json(line, path, number) for number, line in lines if line.strip()}


def _rows(path: Path) -> dict[str, Any]:
    rows = csv.DictReader(io.StringIO(read_text(path), newline=""))
    header = rows.fieldnames or ()
    if not {"image_id", "caption"} <= set(header):
        raise DataError(f"{path}: expected the header image_id,caption, found {','.join(header)!r}")
    try:
        return {f"line {rows.line_num}": row for row in rows}
    except csv.Error as error:
        raise DataError(f"{path}: line {rows.line_num}: {error}") from error
