"""Which file in a folder of pictures belongs to which image.

COCO's pictures have two names: COCO_val2014_000000391895.jpg in the annotations of 2014, and
000000391895.jpg in the archives of 2017. A picture is searched for by the name that the annotations give,
with and without its folder, and then by the twelve digits of its image id.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from evaluator.core import Item
from evaluator.core.errors import DataError


class AnnotatedImage(NamedTuple):
    """What an annotations file says about one image."""

    id: str
    file_name: str | None  # may begin with a folder, such as val2014/
    references: tuple[str, ...]


def with_pictures(images: Sequence[AnnotatedImage], folder: Path | None, annotations: Path) -> list[Item]:
    """The images as items with the paths of their pictures; without a folder, the paths are None.

    A picture that is missing gets the path where it was expected. Raises DataError where the folder is
    missing or contains none of the pictures.
    """
    if not images:
        raise DataError(f"{annotations}: the file lists no images")
    if folder is None:
        return [Item(image.id, None, image.references) for image in images]
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder of images")
    expected = [_expected_name(image, annotations) for image in images]
    # The folder, and the folders within it that the expected names give: no file is looked up on the disk.
    inner = dict.fromkeys(["", *map(posixpath.dirname, expected)])
    names = [posixpath.join(part, name) for part in inner for name in _listing(folder / part)]
    present = frozenset(names)
    by_number = {number: name for name in reversed(names) if (number := _number(name)) is not None}

    def find(item_id: str, name: str) -> str | None:
        for candidate in (name, posixpath.basename(name)):
            if candidate in present:
                return candidate
        return by_number.get(int(item_id)) if item_id.isdecimal() else None

    found = [find(image.id, name) for image, name in zip(images, expected, strict=True)]
    if not any(found):
        missing = f"none of the {len(images)} pictures that {annotations} lists is here"
        raise DataError(f"{folder}: {missing}, for example {expected[0]}")
    return [
        Item(image.id, folder / (there or name), image.references)
        for image, there, name in zip(images, found, expected, strict=True)
    ]


def _expected_name(image: AnnotatedImage, annotations: Path) -> str:
    name = image.file_name or f"{image.id.zfill(12) if image.id.isdecimal() else image.id}.jpg"
    if name.startswith("/") or ".." in name.split("/"):
        raise DataError(f"{annotations}: image {image.id}: its file {name} lies outside the images' folder")
    return posixpath.normpath(name)


def _listing(folder: Path) -> list[str]:
    """Sorted, so that of two pictures of one image the same is always taken."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed: {error.strerror or error}") from error


def _number(name: str) -> int | None:
    """The number that ends a name such as val2014/COCO_val2014_000000391895.jpg."""
    match = re.fullmatch(r"(?:.*[_/])?(\d{12})(?:\.[^.]+)?", name)
    return int(match[1]) if match else None
