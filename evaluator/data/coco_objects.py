"""Tags from COCO's object annotations: which things an image shows, the largest first.

    {"categories": [{"id": 18, "name": "dog"}, ...],
     "annotations": [{"image_id": 42, "category_id": 18, "bbox": [214.1, 41.3, 348.3, 243.8]}, ...]}

instances_val2017.json is such a file (https://cocodataset.org/#format-data); a box is x, y, width, height in
pixels. Images that the file does not mention keep their tags.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.files.json_input import WrittenId, checked, describe, located, read_json


def with_object_tags(items: Sequence[Item], instances: Path | None) -> list[Item]:
    """The items, tagged with the names of the objects that they show; unchanged where there is no file."""
    if instances is None:
        return list(items)
    tags = read_objects(read_json(instances), instances)
    return [replace(item, tags=tags.get(item.id, item.tags)) for item in items]


class Category(TypedDict):
    id: WrittenId
    name: str


class Annotation(TypedDict):
    image_id: WrittenId
    category_id: WrittenId
    bbox: Any


class ObjectsFile(TypedDict):
    categories: list[Category]
    annotations: list[Annotation]


def read_objects(document: object, path: Path) -> dict[str, tuple[str, ...]]:
    """Image id -> the names of its objects, each once, the one that covers most of the image first."""
    file = checked(document, ObjectsFile, path)
    names = {category["id"]: category["name"] for category in file["categories"]}
    areas: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for index, annotation in enumerate(file["annotations"]):
        category = annotation["category_id"]
        if category not in names:
            where = located(path, "annotations", index)
            raise DataError(f"{where}: category {describe(category)} is not among the file's categories")
        area = box_area(annotation["bbox"], path, "annotations", index, "bbox")
        areas[str(annotation["image_id"])][names[category]] += area
    return {
        item_id: tuple(sorted(of_image, key=lambda name: (-of_image[name], name)))
        for item_id, of_image in areas.items()
    }


def box_area(box: Any, path: Path, *place: str | int) -> float:
    """Width times height of [x, y, width, height]."""
    if not isinstance(box, list) or len(box) != 4 or not all(isinstance(side, int | float) for side in box):
        raise DataError(f"{located(path, *place)}: expected [x, y, width, height], found {describe(box)}")
    return float(box[2]) * float(box[3])
