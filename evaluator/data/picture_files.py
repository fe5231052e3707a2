"""Which file in a folder of pictures belongs to which image.

COCO's pictures have two names: COCO_val2014_000000391895.jpg in the annotations of 2014, and
000000391895.jpg in the archives of 2017. A picture is searched for by the name that the annotations give,
with and without its folder, and then by the twelve digits of its image id.

Where that finds nothing, the sub-folders are searched too, and the name may be spelled in another way: with a
path or an address of another machine, in other case, with another ending or none. Such a file is taken where
it is the only one, and the log says so. No name leads out of the folder.
"""

from __future__ import annotations

import logging
import os
import posixpath
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.files.images import is_picture_name, without_ending

logger = logging.getLogger(__name__)


class AnnotatedImage(NamedTuple):
    """What an annotations file says about one image."""

    id: str
    file_name: str | None  # may begin with a folder, such as val2014/
    references: tuple[str, ...]
    tags: tuple[str, ...] = ()


def with_pictures(images: Sequence[AnnotatedImage], folder: Path | None, annotations: Path) -> list[Item]:
    """The images as items with the paths of their pictures; without a folder, the paths are None.

    A picture that is missing gets the path where it was expected. Raises DataError where the folder is
    missing or contains none of the pictures.
    """
    if not images:
        raise DataError(f"{annotations}: the file lists no images")
    if folder is None:
        return [Item(image.id, None, image.references, image.tags) for image in images]
    names = [_expected_name(image) for image in images]
    found = _as_named({image.id: name for image, name in zip(images, names, strict=True)}, folder)
    missing = [name for image, name in zip(images, names, strict=True) if image.id not in found]
    spelled: Mapping[str, str] = {}
    if missing:
        present = list(files_within(folder))
        spelled = _spelled_otherwise(missing, set(present) - set(found.values()), folder)
        if not found and not spelled:
            there = f"It holds {len(present):,} files, for example {present[0]}" if present else "It is empty"
            raise DataError(
                f"{folder}: none of the {len(images):,} pictures that {annotations} lists is here, "
                f"for example {missing[0]}. {there}"
            )
    return [
        Item(
            image.id,
            folder / (found.get(image.id) or spelled.get(name) or _inside(name)),
            image.references,
            image.tags,
        )
        for image, name in zip(images, names, strict=True)
    ]


def files_within(folder: Path) -> Iterator[str]:
    """The files of a folder and of its sub-folders, by name, as paths from the folder with `/`.

    Hidden files and folders are left out. Links to folders are followed, each folder once. Raises DataError
    where the folder itself cannot be listed.
    """
    try:
        waiting, seen = [(folder, "")], {_identity(folder)}
    except FileNotFoundError:
        raise DataError(f"{folder}: there is no such folder of images") from None
    except OSError as error:
        raise DataError(f"{folder}: cannot be listed: {error.strerror or error}") from error
    while waiting:
        here, inner = waiting.pop()
        folders = []
        for entry in _entries(here, is_outermost=not inner):
            name = posixpath.join(inner, entry.name)
            try:
                if not entry.is_dir():
                    yield name
                elif (identity := _identity(here / entry.name)) not in seen:
                    seen.add(identity)
                    folders.append((here / entry.name, name))
            except OSError:  # a link in a circle
                continue
        waiting += reversed(folders)


def _as_named(names: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Image id -> file, for the names that are in the folder as the annotations or COCO spell them.

    The folder is listed, and the folders within it that the names give: no file is looked up by itself.
    """
    inner = dict.fromkeys(
        ["", *(posixpath.dirname(name) for name in names.values() if name == _inside(name))]
    )
    listed = [
        posixpath.join(part, entry.name)
        for part in inner
        for entry in _entries(folder / part, is_outermost=not part)
    ]
    present = frozenset(listed)
    by_number = {_number(name): name for name in reversed(listed)}
    found: dict[str, str] = {}
    for item_id, name in names.items():
        candidates = (name, posixpath.basename(name)) if name == _inside(name) else ()
        numbered = by_number.get(int(item_id)) if item_id.isdecimal() else None
        if file := next((candidate for candidate in candidates if candidate in present), numbered):
            found[item_id] = file
    return found


def _case(name: str) -> str:
    """A name without regard to case and to the two ways in which Unicode writes accents."""
    return unicodedata.normalize("NFC", name).casefold()


# How a file's name may differ from the one that was given, the smallest difference first.
SPELLINGS: Sequence[tuple[str, Callable[[str], str]]] = (
    ("by the last part of their path", lambda name: name),
    ("in other case", _case),
    ("with another ending", lambda name: re.sub(r"\.(?:jpe|jpeg|jfif)$", ".jpg", _case(name))),
    ("with another ending", lambda name: without_ending(_case(name))),
)


def _spelled_otherwise(names: Sequence[str], files: Collection[str], folder: Path) -> dict[str, str]:
    """Name -> file, where each can only mean the other. The log says what was found in which way."""
    found: dict[str, str] = {}
    unclear: dict[str, Sequence[str]] = {}
    for way, key in SPELLINGS:
        by_key = defaultdict(list)
        for file in files:
            by_key[key(posixpath.basename(file))].append(file)
        left = [name for name in dict.fromkeys(names) if name not in found and name not in unclear]
        fits = {name: _nearest(name, by_key[key(_last_part(name))], key) for name in left}
        fits = {name: those for name, those in fits.items() if those}
        claims = Counter(those[0] for those in fits.values() if len(those) == 1)
        unclear |= {name: those for name, those in fits.items() if len(those) > 1 or claims[those[0]] > 1}
        if new := {name: those[0] for name, those in fits.items() if name not in unclear}:
            example = next(iter(new))
            logger.info(
                "%s: %s of the pictures found %s: %s is %s",
                *(folder, f"{len(new):,}", way, example, new[example]),
            )
        found |= new
        files = set(files) - set(new.values())
    if unclear:
        example = next(iter(unclear))
        logger.warning(
            "%s: %s of the names fit no single picture and get none: %s could be %s",
            *(folder, f"{len(unclear):,}", example, " or ".join(unclear[example][:3])),
        )
    return found


def _nearest(name: str, files: Sequence[str], key: Callable[[str], str]) -> list[str]:
    """Of these files, those that share most of the folders at the end of the name's path."""

    def shared(file: str) -> int:
        pairs = zip(_parts(name)[-2::-1], PurePosixPath(file).parts[-2::-1], strict=False)
        alike = [key(one) == key(other) for one, other in pairs]
        return next((number for number, same in enumerate(alike) if not same), len(alike))

    most = max(map(shared, files), default=0)
    return [file for file in sorted(files) if shared(file) == most]


def _expected_name(image: AnnotatedImage) -> str:
    """As the annotations name it; else the id is the name, as where references are under files' names."""
    name = image.file_name or (image.id if is_picture_name(image.id) else "")
    return posixpath.normpath(name or f"{image.id.zfill(12) if image.id.isdecimal() else image.id}.jpg")


def _parts(name: str) -> list[str]:
    r"""The parts of a path or an address from any system.

    >>> _parts("C:\\pictures\\a.jpg"), _parts("https://example.org/val/a%20b.jpg?size=large")
    (['C:', 'pictures', 'a.jpg'], ['example.org', 'val', 'a b.jpg'])
    """
    if re.match(r"[a-z]{2,}:/", name, re.IGNORECASE):  # normpath has made one slash of two
        address = urlsplit(re.sub(r"^([A-Za-z]+):/+", r"\1://", name))
        name = unquote(f"{address.netloc}{address.path}")
    return [part for part in name.replace("\\", "/").split("/") if part]


def _last_part(name: str) -> str:
    return next(reversed(_parts(name)), name)


def _inside(name: str) -> str:
    """The name as a path within a folder: its last part where it would lead out of it."""
    leads_out = re.match(r"[\\/]|[a-z][a-z+.-]*:", name, re.IGNORECASE) or ".." in re.split(r"[\\/]", name)
    return _last_part(name) if leads_out else name


def _entries(folder: Path, is_outermost: bool) -> list[os.DirEntry[str]]:
    """Sorted, so that of two pictures of one image the same is always taken. No hidden ones."""
    try:
        with os.scandir(folder) as entries:
            return sorted((one for one in entries if not one.name.startswith(".")), key=lambda one: one.name)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        if not is_outermost:
            return []
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise DataError(f"{folder}: there is no such folder of images") from error
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{folder}: cannot be listed: {reason}") from error


def _identity(folder: Path) -> tuple[int, int]:
    """Tells one folder from another, whatever path leads to it."""
    status = folder.stat()
    return status.st_dev, status.st_ino


def _number(name: str) -> int | None:
    """The number that ends a name such as val2014/COCO_val2014_000000391895.jpg."""
    match = re.fullmatch(r"(?:.*[_/])?(\d{12})(?:\.[^.]+)?", name)
    return int(match[1]) if match else None
