"""COCO's captions (Chen et al. 2015, https://arxiv.org/abs/1504.00325; https://cocodataset.org/#format-data).

    {"images": [{"id": 42, "file_name": "000000000042.jpg"}, ...],
     "annotations": [{"image_id": 42, "caption": "A dog lies on shoes."}, ...]}

Everything else in the file is ignored. An image without captions stays, without references. A second file
can name the objects in the images, which become tags:

    {"categories": [{"id": 18, "name": "dog"}, ...],
     "annotations": [{"image_id": 42, "category_id": 18, "bbox": [214.1, 41.3, 348.3, 243.8]}, ...]}
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, NotRequired

from annotated_types import Ge
from typing_extensions import TypedDict

from evaluator.core import RUNTIME_ONLY, Item
from evaluator.core.errors import DataError
from evaluator.data.human import drop_reference
from evaluator.data.picture_files import AnnotatedImage, with_pictures
from evaluator.files.json_input import WrittenId, checked, describe, image_id, located, read_json


@dataclass(frozen=True)
class COCO:
    """The images and captions of a file in COCO's format; `images` is the folder of the pictures, if any."""

    kind: ClassVar[str] = "coco"

    images: Path | None = field(metadata=RUNTIME_ONLY)  # the same data wherever the pictures are
    annotations: Path
    leave_out: Annotated[int, Ge(1)] | None = None
    instances: Path | None = field(default=None, metadata=RUNTIME_ONLY)  # names objects, changes no caption

    def load(self) -> list[Item]:
        """The items, in the order of the file's images. Raises DataError that says where the mistake is."""
        images = read_coco(read_json(self.annotations), self.annotations)
        items = with_pictures(images, self.images, self.annotations)
        return with_object_tags(drop_reference(items, self.leave_out), self.instances)


class Image(TypedDict):
    id: WrittenId
    file_name: NotRequired[str | None]


class Annotation(TypedDict):
    image_id: WrittenId
    caption: str


def read_coco(document: object, path: Path) -> list[AnnotatedImage]:
    """The images of a document in COCO's format, in its order."""
    if not isinstance(document, dict) or not {"images", "annotations"} <= document.keys():
        raise DataError(
            f'{path}: not in COCO\'s format: expected {{"images": [...], "annotations": [...]}}, '
            f"found {describe(document)}"
        )
    images = checked(document["images"], list[Image], path, "images")
    annotations = checked(document["annotations"], list[Annotation], path, "annotations")
    ids = [image_id(image["id"], path, "images", n, "id") for n, image in enumerate(images)]
    refuse_repeats(dict(enumerate(ids)), path)
    captions: dict[str, list[str]] = {item_id: [] for item_id in ids}
    for index, annotation in enumerate(annotations):
        of_image = captions.get(str(annotation["image_id"]))
        if of_image is None:
            where = located(path, "annotations", index)
            raise DataError(f"{where}: image {annotation['image_id']!r} is not among the file's images")
        of_image.append(annotation["caption"].strip())
    return [
        AnnotatedImage(item_id, image.get("file_name"), tuple(captions[item_id]))
        for item_id, image in zip(ids, images, strict=True)
    ]


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
