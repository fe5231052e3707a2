"""COCO's captions (Chen et al. 2015, https://arxiv.org/abs/1504.00325; https://cocodataset.org/#format-data).

    {"images": [{"id": 42, "file_name": "000000000042.jpg"}, ...],
     "annotations": [{"image_id": 42, "caption": "A dog lies on shoes."}, ...]}

Everything else in the file is ignored. An image without captions stays, without references.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, NotRequired

from annotated_types import Ge
from typing_extensions import TypedDict

from evaluator.core import NOT_IDENTITY, Item
from evaluator.core.errors import DataError
from evaluator.data.coco_objects import with_object_tags
from evaluator.data.human import drop_reference
from evaluator.data.picture_files import AnnotatedImage, with_pictures
from evaluator.files.json_input import WrittenId, checked, describe, image_id, located, read_json


@dataclass(frozen=True)
class COCO:
    """The images and captions of a file in COCO's format; `images` is the folder of the pictures, if any."""

    kind: ClassVar[str] = "coco"

    images: Path | None = field(metadata=NOT_IDENTITY)  # the same data wherever the pictures are
    annotations: Path
    leave_out: Annotated[int, Ge(1)] | None = None
    instances: Path | None = field(default=None, metadata=NOT_IDENTITY)  # names objects, changes no caption

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
