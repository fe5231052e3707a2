"""The pictures of the gallery: within the page, or in a folder beside it.

A page that is passed on carries at most a few hundred pictures, those that a reader will want first: half
show the images on which the runs differ most, or on which a single run does worst, and half are spread evenly
over the data set. A folder beside the page has room for all of them.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from evaluator.core.errors import ImageError, StoreError
from evaluator.files.atomic import replace_file
from evaluator.files.images import file_of, thumbnail
from evaluator.report.page.gallery import NO_PICTURE, Gallery

CANNOT_BE_READ = "picture cannot be read"
LEFT_OUT = "picture not in this file"
NOT_IN_SITE = "picture not in this site"
WITHHELD = "picture not shown: the run was not made on this machine, and --images did not name its folder"

# In pixels: large enough to see what a caption is about, and some 45 KB each.
WIDTH = 640
PICTURES_OF_SITE = 60

# Decoding releases the interpreter's lock.
WORKERS = os.cpu_count() or 1


@dataclass(frozen=True)
class Pictures:
    """The picture of each image, as base64 of a JPEG or a file's name, or the reason why it has none."""

    shown: Mapping[int, str] = field(default_factory=dict)  # by the image's index
    reasons: Mapping[int, str] = field(default_factory=dict)
    folder: str = ""  # of the files, beside the page; empty: the pictures are within it

    def numbered(self, images: int) -> tuple[list[int], list[str]]:
        """For each image the number of its picture among those shown, or -1, and the reason why."""
        number_of = {index: number for number, index in enumerate(self.shown)}
        return (
            [number_of.get(index, -1) for index in range(images)],
            [self.reasons.get(index, "") for index in range(images)],
        )


def pictures_within(gallery: Gallery, limit: int, width: int = WIDTH) -> Pictures:
    """The pictures of at most `limit` images, at most so many pixels wide, as base64."""
    chosen = choose(gallery, limit)
    return render_all(gallery, chosen, lambda image: base64.b64encode(thumbnail(image, width)).decode())


def pictures_beside(gallery: Gallery, folder: Path, width: int = WIDTH) -> Pictures:
    """A smaller file for every picture at hand, in this folder; files that exist already are kept.

    Raises StoreError where it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        return render_all(
            gallery, gallery.with_picture, partial(thumbnail_file, folder, width=width), folder.name
        )
    except OSError as error:
        raise StoreError(
            f"cannot write the pictures to {folder}: {error.strerror}. Free space, or correct the "
            "permissions, or leave out --pictures-beside for a page with some of the pictures"
        ) from error


def pictures_of_site(gallery: Gallery, folder: Path, number: int = PICTURES_OF_SITE) -> Pictures:
    """The pictures of at most so many images, in a folder that pages of several runs share.

    A file is named by what its image is, not by where it lies: runs that are added later show it without
    having it. Raises StoreError where the folder cannot be written.
    """
    names = [f"{digest(repr((item.id, item.references)))}.jpg" for item in gallery.items]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = {path.name for path in folder.iterdir()}
        missing = [index for index in choose(gallery, number) if names[index] not in kept]
        for index in missing[: max(0, number - len(kept))]:
            image = gallery.items[index].image
            with suppress(ImageError, MemoryError):
                replace_file(folder / names[index], thumbnail(image, WIDTH) if image else b"")
                kept.add(names[index])
    except OSError as error:
        raise StoreError(f"cannot write the pictures to {folder}: {error.strerror}") from error
    shown = {index: name for index, name in enumerate(names) if name in kept}
    reasons = dict.fromkeys(set(range(len(names))) - set(shown), NOT_IN_SITE)
    return Pictures(shown, reasons, folder.name)


def digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:20]


def render_all(
    gallery: Gallery, chosen: Sequence[int], render: Callable[[Path], str], folder: str = ""
) -> Pictures:
    """What `render` returns for these images; for all others the reason why they have no picture."""

    def render_or_none(index: int) -> str | None:
        image = gallery.items[index].image
        try:
            return render(image) if image else None
        except (ImageError, MemoryError):
            return None

    with ThreadPoolExecutor(WORKERS, "thumbnail") as pool:
        rendered = dict(zip(chosen, pool.map(render_or_none, chosen), strict=True))
    shown = {index: text for index, text in rendered.items() if text is not None}
    reasons = dict.fromkeys(range(len(gallery.items)), NO_PICTURE)
    reasons |= dict.fromkeys(gallery.withheld, WITHHELD)
    reasons |= dict.fromkeys(gallery.with_picture, LEFT_OUT) | dict.fromkeys(chosen, CANNOT_BE_READ)
    return Pictures(shown, {index: why for index, why in reasons.items() if index not in shown}, folder)


def thumbnail_file(folder: Path, path: Path, width: int = WIDTH) -> str:
    """The name of a thumbnail in the folder, made where it is missing; it changes with the picture's file."""
    try:
        state = file_of(path).stat()
    except (OSError, ValueError) as error:
        raise ImageError(f"{path}: cannot be read: {error}") from error
    version = f"{path.resolve()} {state.st_size} {state.st_mtime_ns} {width}"
    name = f"{digest(version)}.jpg"
    if not (folder / name).exists():
        replace_file(folder / name, thumbnail(path, width))
    return name


def choose(gallery: Gallery, limit: int) -> list[int]:
    """The indices of at most `limit` images with a picture at hand, in their order."""
    at_hand = list(gallery.with_picture)
    if len(at_hand) <= limit:
        return at_hand
    telling = sorted(at_hand, key=interest(gallery).__getitem__, reverse=True)[: limit // 2]
    others = sorted(set(at_hand) - set(telling))
    return sorted([*telling, *spread_evenly(others, limit - len(telling))])


def interest(gallery: Gallery) -> list[float]:
    """How far apart the best and the worst run are on each image; for a single run, how bad its score is."""
    if not gallery.metrics:
        return [0.0] * len(gallery.items)
    sign = 1 if gallery.higher_is_better[0] else -1
    scores = np.array([sign * of_run.scores[0] for of_run in gallery.answers])
    highest = np.where(np.isnan(scores), -np.inf, scores).max(axis=0)
    lowest = np.where(np.isnan(scores), np.inf, scores).min(axis=0)
    spread = highest - lowest if len(scores) > 1 else -lowest
    ordered: list[float] = np.where(np.isfinite(spread), spread, -np.inf).tolist()
    return ordered


def spread_evenly(indices: Sequence[int], count: int) -> list[int]:
    """`count` of these indices, at equal distances.

    >>> spread_evenly(range(10), 4)
    [0, 2, 5, 7]
    """
    count = min(count, len(indices))
    return [indices[number * len(indices) // count] for number in range(count)]
