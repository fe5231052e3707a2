"""Karpathy's splits of COCO and Flickr (Karpathy and Fei-Fei 2015, https://cs.stanford.edu/people/karpathy/deepimagesent/).

    {"images": [{"cocoid": 42, "filepath": "val2014", "filename": "COCO_val2014_000000000042.jpg",
                 "split": "test", "sentences": [{"raw": "A dog lies on shoes."}, ...]}, ...]}

Published COCO scores are for the 5,000 images of `test`. Papers train on `train` together with `restval`. A
file in COCO's own format, which already contains one split, is read as a whole.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar, NotRequired

from annotated_types import Ge
from typing_extensions import TypedDict

from evaluator.core import RUNTIME_ONLY, Item
from evaluator.core.errors import DataError
from evaluator.data.coco import read_coco, refuse_repeats, with_object_tags
from evaluator.data.human import drop_reference
from evaluator.data.picture_files import AnnotatedImage, with_pictures
from evaluator.files.json_input import WrittenId, checked, describe, image_id, located, read_json


@dataclass(frozen=True)
class Karpathy:
    """One split of a file such as dataset_coco.json; `images` is val2014's parent, or val2014."""

    kind: ClassVar[str] = "karpathy"

    images: Path | None = field(metadata=RUNTIME_ONLY)  # the same data wherever the pictures are
    annotations: Path
    split: str = "test"
    leave_out: Annotated[int, Ge(1)] | None = None
    instances: Path | None = field(default=None, metadata=RUNTIME_ONLY)  # names objects, changes no caption

    def load(self) -> list[Item]:
        """The items of the split, in the file's order. Raises DataError that says where the mistake is."""
        document = read_json(self.annotations)
        read = read_coco if isinstance(document, dict) and "annotations" in document else self._read
        items = with_pictures(read(document, self.annotations), self.images, self.annotations)
        return with_object_tags(drop_reference(items, self.leave_out), self.instances)

    def _read(self, document: object, path: Path) -> list[AnnotatedImage]:
        if not isinstance(document, dict) or "images" not in document:
            raise DataError(
                f'{path}: expected {{"images": [{{"split": "test", ...}}, ...]}}, found {describe(document)}'
            )
        splits = [image["split"] for image in checked(document["images"], list[Split], path, "images")]
        if self.split not in splits:
            present = ", ".join(f"{name} ({count:,})" for name, count in Counter(splits).items())
            raise DataError(f"{path}: no split {self.split!r}. The file has: {present or 'no images'}")
        chosen = {n: document["images"][n] for n, split in enumerate(splits) if split == self.split}
        images = {n: _read_image(image, path, n) for n, image in chosen.items()}
        refuse_repeats({n: image.id for n, image in images.items()}, path)
        return list(images.values())


class Split(TypedDict):
    split: str


class Sentence(TypedDict):
    raw: str


class Image(TypedDict):
    cocoid: NotRequired[WrittenId]
    imgid: NotRequired[WrittenId]  # Flickr's images have no other id
    filepath: NotRequired[str | None]
    filename: NotRequired[str | None]
    sentences: list[Sentence]


def _read_image(document: object, path: Path, index: int) -> AnnotatedImage:
    image = checked(document, Image, path, "images", index)
    key, written = ("cocoid", image["cocoid"]) if "cocoid" in image else ("imgid", image.get("imgid"))
    if written is None:
        raise DataError(f"{located(path, 'images', index)}: 'cocoid' is missing: found {describe(document)}")
    name = posixpath.join(image.get("filepath") or "", file) if (file := image.get("filename")) else None
    references = tuple(sentence["raw"].strip() for sentence in image["sentences"])
    return AnnotatedImage(image_id(written, path, "images", index, key), name, references)
