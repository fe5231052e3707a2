"""Which file of a folder shows which item.

COCO's pictures go by two names: COCO_val2014_000000391895.jpg, as the annotations of 2014 say, and
000000391895.jpg, as the archives of 2017 do. A picture is looked for under the name that the annotations
give, with and without its folder, and then by the twelve digits of its image id.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from evaluator.core import Item
from evaluator.core.errors import DataError


def find_pictures(items: Sequence[Item], folder: Path | None, annotations: Path) -> list[Item]:
    """The items, whose `image` is a name within the folder so far, with the path of the picture instead.

    An item without a picture gets the path where it was expected; without a folder, None. Raises DataError
    where the folder is missing or holds none of the pictures.
    """
    if not items:
        raise DataError(f"{annotations}: the file lists no images")
    if folder is None:
        return [replace(item, image=None) for item in items]
    if not folder.is_dir():
        raise DataError(f"{folder}: there is no such folder of images")
    names = [
        item.image or Path(f"{item.id.zfill(12) if item.id.isdecimal() else item.id}.jpg") for item in items
    ]
    for item, name in zip(items, names, strict=True):
        if name.is_absolute() or ".." in name.parts:
            raise DataError(
                f"{annotations}: image {item.id}: its file {name} lies outside the images' folder"
            )
    expected = [folder / name for name in names]
    listed = [
        path
        for place in dict.fromkeys([folder, *(path.parent for path in expected)])
        for path in _listing(place)
    ]
    by_path = set(listed)
    by_number = {number: path for path in reversed(listed) if (number := _number(path)) is not None}

    def find(item: Item, path: Path) -> Path | None:
        beside = folder / path.name
        if path in by_path or beside in by_path:
            return path if path in by_path else beside
        return by_number.get(int(item.id)) if item.id.isdecimal() else None

    found = [find(item, path) for item, path in zip(items, expected, strict=True)]
    if not any(found):
        raise DataError(
            f"{folder}: none of the {len(items)} pictures of {annotations} is here, for example {names[0]}"
        )
    return [
        replace(item, image=there or path) for item, there, path in zip(items, found, expected, strict=True)
    ]


def _listing(folder: Path) -> list[Path]:
    """Sorted, so that of two pictures of one image the same is always taken."""
    try:
        return [folder / name for name in sorted(os.listdir(folder))]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed: {error.strerror or error}") from error


def _number(path: Path) -> int | None:
    match = re.fullmatch(r"(?:.*_)?(\d{12})", path.stem)
    return int(match[1]) if match else None
