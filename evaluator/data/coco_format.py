"""COCO's captions (Chen et al. 2015, https://arxiv.org/abs/1504.00325; https://cocodataset.org/#format-data).

    {"images": [{"id": 42, "file_name": "000000000042.jpg"}, ...],
     "annotations": [{"image_id": 42, "caption": "A dog lies on shoes."}, ...]}

Everything else in the file is ignored, except the domain of NoCaps' images. An image without captions stays,
without references. NoCaps and VizWiz use the same format. A second file can name the objects in the images,
which become tags:

    {"categories": [{"id": 18, "name": "dog"}, ...],
     "annotations": [{"image_id": 42, "category_id": 18, "bbox": [214.1, 41.3, 348.3, 243.8]}, ...]}
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.data.picture_files import AnnotatedImage
from evaluator.files.json_input import (
    WrittenId,
    checked,
    checked_entries,
    describe,
    image_id,
    located,
    read_json,
)


class Image(TypedDict):
    id: WrittenId
    file_name: NotRequired[str | None]
    domain: NotRequired[str | None]  # of NoCaps: in-domain, near-domain or out-domain, which is a tag


class Annotation(TypedDict):
    image_id: WrittenId
    caption: str
    # Of VizWiz-Captions: a worker's text that was rejected, and one that says the picture is too bad.
    is_rejected: NotRequired[bool]
    is_precanned: NotRequired[bool]


def read_coco(
    document: Mapping[str, Any], path: Path, keep_rejected: bool
) -> tuple[list[AnnotatedImage], int]:
    """The images of a document in COCO's format, in its order, and how many references do not count.

    VizWiz' own evaluation (github.com/Yinan-Zhao/vizwiz-caption) leaves out references that are marked as
    rejected or as precanned; so does this, unless they are to be kept.
    """
    images = checked(document["images"], list[Image], path, "images")
    annotations = checked_entries(document["annotations"], Annotation, path, "annotations")
    ids = [image_id(image["id"], path, "images", n, "id") for n, image in enumerate(images)]
    refuse_repeats(dict(enumerate(ids)), path)
    captions: dict[str, list[str]] = {item_id: [] for item_id in ids}
    left_out = 0
    for index, annotation in enumerate(annotations):
        of_image = captions.get(str(annotation["image_id"]))
        if of_image is None:
            where = located(path, "annotations", index)
            raise DataError(f"{where}: image {annotation['image_id']!r} is not among the file's images")
        if (annotation.get("is_rejected") or annotation.get("is_precanned")) and not keep_rejected:
            left_out += 1
        else:
            of_image.append(annotation["caption"].strip())
    listed = [
        AnnotatedImage(
            item_id,
            image.get("file_name"),
            tuple(captions[item_id]),
            (domain,) if (domain := image.get("domain")) else (),
        )
        for item_id, image in zip(ids, images, strict=True)
    ]
    return listed, left_out


def refuse_repeats(ids: Mapping[int, str], path: Path) -> None:
    """Raise DataError where an image, under its index in the file's list, has the id of an earlier one."""
    first: dict[str, int] = {}
    for index, item_id in ids.items():
        if first.setdefault(item_id, index) != index:
            where = located(path, "images", index)
            raise DataError(f"{where}: image {item_id} is listed already, at images[{first[item_id]}]")


def with_object_tags(items: Sequence[Item], instances: Path | None) -> list[Item]:
    """The items, tagged with the names of their objects; an image that the file lacks keeps its tags."""
    if instances is None:
        return list(items)
    tags = read_objects(read_json(instances), instances)
    return [replace(item, tags=tags.get(item.id, item.tags)) for item in items]


class Category(TypedDict):
    id: WrittenId
    name: str


class ObjectAnnotation(TypedDict):
    image_id: WrittenId
    category_id: WrittenId
    bbox: Any


class ObjectsFile(TypedDict):
    categories: list[Category]
    annotations: list[ObjectAnnotation]


def read_objects(document: object, path: Path) -> dict[str, tuple[str, ...]]:
    """Image id -> the names of its objects, each once, the one that covers most of the image first.

    A box is x, y, width, height in pixels, as in instances_val2017.json.
    """
    file = checked(document, ObjectsFile, path)
    names = {category["id"]: category["name"] for category in file["categories"]}
    areas: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for index, annotation in enumerate(file["annotations"]):
        category = annotation["category_id"]
        if category not in names:
            where = located(path, "annotations", index)
            raise DataError(f"{where}: category {describe(category)} is not among the file's categories")
        box = annotation["bbox"]
        if not isinstance(box, list) or [isinstance(side, int | float) for side in box] != [True] * 4:
            where = located(path, "annotations", index, "bbox")
            raise DataError(f"{where}: expected [x, y, width, height], found {describe(box)}")
        areas[str(annotation["image_id"])][names[category]] += float(box[2]) * float(box[3])
    return {item_id: tuple(sorted(of, key=lambda name: (-of[name], name))) for item_id, of in areas.items()}
