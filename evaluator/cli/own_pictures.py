"""The pictures that somebody types: files, folders, and addresses, which are downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import click

from evaluator.core import Item
from evaluator.core.errors import ImageError
from evaluator.data.folder import pictures_in
from evaluator.files.downloads import download, is_address

AT_ONCE = 8  # downloads


class OwnPictures(NamedTuple):
    """What was typed: all paths and addresses, the pictures, and why others could not be downloaded."""

    places: Sequence[str]
    items: Sequence[Item]
    failures: Mapping[str, str]


def is_own_picture(argument: str) -> bool:
    """Whether an argument names a picture and is no option; a file may have a `=` in its name."""
    return os.path.exists(argument) or is_address(argument)


def places_of(arguments: Sequence[str]) -> list[str]:
    """The paths and addresses that the arguments name, each once; DataError for a folder without pictures."""
    return list(dict.fromkeys(place for argument in arguments for place in _places(argument)))


@contextmanager
def own_pictures(places: Sequence[str]) -> Iterator[OwnPictures]:
    """The pictures at some paths and addresses; what is downloaded is there within the block.

    An item's id is the path or the address. Raises UsageError where there is nothing that can be captioned.
    """
    with TemporaryDirectory(prefix="evaluator-") as folder:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            found = dict(zip(places, pool.map(partial(_file, folder=Path(folder)), places), strict=True))
        failures = {place: str(file) for place, file in found.items() if isinstance(file, ImageError)}
        items = [Item(place, file) for place, file in found.items() if not isinstance(file, ImageError)]
        if not items:
            raise click.UsageError(next(iter(failures.values()), "type the path of a picture, or of several"))
        yield OwnPictures(places, items, failures)


def _places(argument: str) -> list[str]:
    """The argument itself, or the pictures of the folder that it names."""
    if not os.path.isdir(argument):
        return [argument]
    return [os.path.join(argument, name) for name in pictures_in(Path(argument))]


def _file(place: str, folder: Path) -> Path | ImageError:
    """The file, downloaded into the folder where the place is an address."""
    if os.path.exists(place) or not is_address(place):
        return Path(place)
    try:
        return download(place, folder)
    except ImageError as error:
        return error
