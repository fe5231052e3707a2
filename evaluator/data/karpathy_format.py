"""Karpathy's splits of COCO and Flickr (Karpathy and Fei-Fei 2015, https://cs.stanford.edu/people/karpathy/deepimagesent/).

{"images": [{"cocoid": 42, "filepath": "val2014", "filename": "COCO_val2014_000000000042.jpg",
             "split": "test", "sentences": [{"raw": "A dog lies on shoes."}, ...]}, ...]}
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NotRequired

from typing_extensions import TypedDict

from evaluator.core.errors import DataError
from evaluator.data.coco_format import refuse_repeats
from evaluator.data.picture_files import AnnotatedImage
from evaluator.files.json_input import WrittenId, checked, describe, image_id, located


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


def splits_of(document: Mapping[str, Any], path: Path) -> list[str]:
    """The split of each image."""
    return [image["split"] for image in checked(document["images"], list[Split], path, "images")]


def read_karpathy(document: Mapping[str, Any], path: Path, split: str) -> list[AnnotatedImage]:
    """The images of one split, in the file's order. Raises DataError where there is no such split."""
    splits = splits_of(document, path)
    refuse_other_splits(split, splits, path)
    chosen = {n: document["images"][n] for n, of_image in enumerate(splits) if of_image == split}
    images = {n: _read_image(image, path, n) for n, image in chosen.items()}
    refuse_repeats({n: image.id for n, image in images.items()}, path)
    return list(images.values())


def refuse_other_splits(split: str, present: Iterable[str], path: Path) -> None:
    """Raise DataError, with the splits that are there, where this one is not."""
    counts = Counter(present)
    if split not in counts:
        listed = ", ".join(f"{name} ({count:,})" for name, count in counts.items())
        raise DataError(f"{path}: no split {split!r}. The file has: {listed or 'no images'}")


def _read_image(document: object, path: Path, index: int) -> AnnotatedImage:
    image = checked(document, Image, path, "images", index)
    key, written = ("cocoid", image["cocoid"]) if "cocoid" in image else ("imgid", image.get("imgid"))
    if written is None:
        raise DataError(f"{located(path, 'images', index)}: 'cocoid' is missing: found {describe(document)}")
    name = posixpath.join(image.get("filepath") or "", file) if (file := image.get("filename")) else None
    references = tuple(sentence["raw"].strip() for sentence in image["sentences"])
    return AnnotatedImage(image_id(written, path, "images", index, key), name, references)
