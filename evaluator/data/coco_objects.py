"""Tags from COCO's object annotations: which things an image shows, the largest first.

    {"categories": [{"id": 18, "name": "dog"}, ...],
     "annotations": [{"image_id": 42, "category_id": 18, "bbox": [214.1, 41.3, 348.3, 243.8]}, ...]}

instances_val2017.json is such a file (https://cocodataset.org/#format-data); a box is x, y, width, height in
pixels. Images that it says nothing about keep no tags.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.files.json_input import describe, entries, image_id, member, read_json, text


def tagged(items: Sequence[Item], instances: Path | None) -> list[Item]:
    """The items with the names of the objects that are in them; unchanged where there is no file."""
    if instances is None:
        return list(items)
    found = read_objects(read_json(instances), instances)
    return [replace(item, tags=found.get(item.id, item.tags)) for item in items]


def read_objects(document: object, path: Path) -> dict[str, tuple[str, ...]]:
    """Image id -> the names of its objects, each once, the one that covers most of the image first."""
    names = {
        member(category, "id", where): text(category, "name", where)
        for index, category in enumerate(entries(document, "categories", str(path)))
        for where in [f"{path}: categories[{index}]"]
    }
    areas: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for index, annotation in enumerate(entries(document, "annotations", str(path))):
        where = f"{path}: annotations[{index}]"
        item_id = image_id(member(annotation, "image_id", where), f"{where}.image_id")
        category = member(annotation, "category_id", where)
        if category not in names:
            raise DataError(f"{where}: category {describe(category)} is not among the file's categories")
        areas[item_id][names[category]] += box_area(member(annotation, "bbox", where), f"{where}.bbox")
    return {
        item_id: tuple(sorted(of_image, key=lambda name: (-of_image[name], name)))
        for item_id, of_image in areas.items()
    }


def box_area(box: Any, where: str) -> float:
    """Width times height of [x, y, width, height]."""
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(side, int | float) for side in box):
        raise DataError(f"{where}: expected [x, y, width, height], found {describe(box)}")
    return float(box[2]) * float(box[3])
