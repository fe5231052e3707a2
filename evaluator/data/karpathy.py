"""Karpathy's splits of COCO and Flickr (Karpathy and Fei-Fei 2015, https://cs.stanford.edu/people/karpathy/deepimagesent/).

    {"images": [{"cocoid": 42, "filepath": "val2014", "filename": "COCO_val2014_000000000042.jpg",
                 "split": "test", "sentences": [{"raw": "A dog lies on shoes."}, ...]}, ...]}

Published COCO scores are those of the 5,000 images of `test`. What COCO's papers train on is `train` together
with `restval`. A file in COCO's own format that holds one split already is read as it is.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, ClassVar

from annotated_types import Ge

from evaluator.core import NOT_IDENTITY, Item
from evaluator.core.errors import DataError
from evaluator.data.coco import file_name, read_coco, refuse_repeats
from evaluator.data.coco_objects import tagged
from evaluator.data.human import without
from evaluator.data.picture_files import find_pictures
from evaluator.files.json_input import entries, image_id, member, read_json, text


@dataclass(frozen=True)
class Karpathy:
    """One split of a file such as dataset_coco.json; `images` is val2014's parent, or val2014."""

    kind: ClassVar[str] = "karpathy"

    images: Path | None = field(metadata=NOT_IDENTITY)  # the same data wherever the pictures lie
    annotations: Path
    split: str = "test"
    leave_out: Annotated[int, Ge(1)] | None = None
    # Names the objects, changes no caption.
    instances: Path | None = field(default=None, metadata=NOT_IDENTITY)

    def load(self) -> list[Item]:
        """The items of the split, in the file's order. Raises DataError with the place of what is wrong."""
        document = read_json(self.annotations)
        in_coco_format = isinstance(document, dict) and "annotations" in document
        read = read_coco(document, self.annotations) if in_coco_format else self._read(document)
        found = find_pictures(read, self.images, self.annotations)
        return tagged(without(found, self.leave_out), self.instances)

    def _read(self, document: object) -> list[Item]:
        images = entries(document, "images", str(self.annotations))
        places = [f"{self.annotations}: images[{index}]" for index in range(len(images))]
        splits = [text(image, "split", where) for image, where in zip(images, places, strict=True)]
        if self.split not in splits:
            present = ", ".join(f"{name} ({count:,})" for name, count in Counter(splits).items())
            raise DataError(
                f"{self.annotations}: no split {self.split!r}. The file has: {present or 'no images'}"
            )
        chosen = [
            (image, where)
            for image, where, split in zip(images, places, splits, strict=True)
            if split == self.split
        ]
        items = [_item(image, where) for image, where in chosen]
        refuse_repeats([item.id for item in items], [where for _, where in chosen])
        return items


def _item(image: dict[str, object], where: str) -> Item:
    key = "cocoid" if "cocoid" in image else "imgid"
    name = file_name(image, "filename", where)
    folder = file_name(image, "filepath", where) or Path()
    sentences = entries(image, "sentences", where)
    return Item(
        image_id(member(image, key, where), f"{where}.{key}"),
        folder / name if name else None,
        tuple(
            text(sentence, "raw", f"{where}.sentences[{n}]").strip() for n, sentence in enumerate(sentences)
        ),
    )
