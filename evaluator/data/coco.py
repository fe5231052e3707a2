"""COCO's captions (Chen et al. 2015, https://arxiv.org/abs/1504.00325; https://cocodataset.org/#format-data).

    {"images": [{"id": 42, "file_name": "000000000042.jpg"}, ...],
     "annotations": [{"image_id": 42, "caption": "A dog lies on shoes."}, ...]}

Everything else in the file is passed over. An image without captions stays, without references.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from annotated_types import Ge

from evaluator.core import NOT_IDENTITY, Item
from evaluator.core.errors import DataError
from evaluator.data.coco_objects import tagged
from evaluator.data.human import without
from evaluator.data.picture_files import find_pictures
from evaluator.files.json_input import describe, entries, image_id, member, read_json, text


@dataclass(frozen=True)
class COCO:
    """The images and captions of a file in COCO's format; `images` is the folder of the pictures, if any."""

    kind: ClassVar[str] = "coco"

    images: Path | None = field(metadata=NOT_IDENTITY)  # the same data wherever the pictures lie
    annotations: Path
    leave_out: Annotated[int, Ge(1)] | None = None
    # Names the objects, changes no caption.
    instances: Path | None = field(default=None, metadata=NOT_IDENTITY)

    def load(self) -> list[Item]:
        """The items, in the order of the file's images. Raises DataError with the place of what is wrong."""
        items = read_coco(read_json(self.annotations), self.annotations)
        found = find_pictures(items, self.images, self.annotations)
        return tagged(without(found, self.leave_out), self.instances)


def read_coco(document: object, path: Path) -> list[Item]:
    """The items of a document in COCO's format, whose `image` is the file's name as the document gives it."""
    if not isinstance(document, dict) or not {"images", "annotations"} <= document.keys():
        raise DataError(
            f'{path}: not in COCO\'s format: expected {{"images": [...], "annotations": [...]}}, '
            f"found {describe(document)}"
        )
    images = entries(document, "images", str(path))
    places = [f"{path}: images[{index}]" for index in range(len(images))]
    ids = [
        image_id(member(image, "id", where), f"{where}.id")
        for image, where in zip(images, places, strict=True)
    ]
    refuse_repeats(ids, places)
    captions: dict[str, list[str]] = {item_id: [] for item_id in ids}
    for index, annotation in enumerate(entries(document, "annotations", str(path))):
        where = f"{path}: annotations[{index}]"
        item_id = image_id(member(annotation, "image_id", where), f"{where}.image_id")
        if item_id not in captions:
            raise DataError(f"{where}: image {item_id} is not among the file's images")
        captions[item_id].append(text(annotation, "caption", where).strip())
    return [
        Item(item_id, file_name(image, "file_name", where), tuple(captions[item_id]))
        for item_id, image, where in zip(ids, images, places, strict=True)
    ]


def file_name(image: dict[str, object], key: str, where: str) -> Path | None:
    """The name of an image's file, None where the document gives none."""
    return Path(text(image, key, where)) if image.get(key) else None


def refuse_repeats(ids: Sequence[str], places: Sequence[str]) -> None:
    """Raise DataError where one image is listed twice."""
    first: dict[str, str] = {}
    for item_id, place in zip(ids, places, strict=True):
        if first.setdefault(item_id, place) is not place:
            raise DataError(f"{place}: image {item_id} is listed already, at {first[item_id]}")
