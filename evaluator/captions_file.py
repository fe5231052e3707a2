"""Captions made elsewhere, in COCO's results format (https://cocodataset.org/#format-results).

    [{"image_id": 42, "caption": "A dog lies on shoes."}, ...]

The text is kept exactly as it is, line breaks and all: what a metric makes of it is the metric's affair.
"""

from __future__ import annotations

from pathlib import Path

from evaluator.errors import DataError
from evaluator.json_file import describe, image_id, member, read_json, text

EXPECTED = '[{"image_id": 42, "caption": "A dog."}, ...]'


def read_captions(path: Path) -> dict[str, str]:
    """Image id -> caption, in the order of the file. Raises DataError with the index of what is wrong."""
    document = read_json(path)
    if not isinstance(document, list):
        raise DataError(f"{path}: expected a list {EXPECTED}, found {describe(document)}")
    captions: dict[str, str] = {}
    for index, entry in enumerate(document):
        where = f"{path}: [{index}]"
        item_id = image_id(member(entry, "image_id", where), f"{where}.image_id")
        if item_id in captions:
            first = list(captions).index(item_id)
            raise DataError(
                f"{where}: image {item_id} has a caption already, at [{first}]. Keep one caption an image"
            )
        captions[item_id] = text(entry, "caption", where)
    return captions
