"""Fetching a published data set: its files into one folder, several at once, each whole or not at all.

Files that are there already are not fetched again, so the same command resumes where an earlier one ended.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Event
from typing import NotRequired
from urllib.parse import urlsplit

from typing_extensions import TypedDict

from evaluator.core.errors import DataError, EvaluatorError, ImageError, together
from evaluator.data.published import PublishedDataset, PublishedFile
from evaluator.files.archives import unpack
from evaluator.files.downloads import all_at_once, download_to
from evaluator.files.json_input import checked, read_json
from evaluator.files.resumed_downloads import download_whole

logger = logging.getLogger(__name__)

FILES_AT_ONCE = 4
PICTURES_AT_ONCE = 16
MARGIN = 1.1  # sizes without a checksum are estimates

# Called with what is fetched, how much of it is there, and how much there is, in bytes or in pictures.
Shown = Callable[[str, int, int | None], object]


@dataclass(frozen=True)
class Fetch:
    """What is to be fetched, from where and into which folder."""

    dataset: PublishedDataset
    parent: Path  # data sets get folders of their own in it
    mirror: str | None = None
    with_pictures: bool = True

    @property
    def folder(self) -> Path:
        return self.parent / self.dataset.folder

    @property
    def missing(self) -> list[PublishedFile]:
        """The files that are not there yet."""
        return [
            file
            for file in self.dataset.files
            if (self.with_pictures or not file.is_pictures)
            and not all((self.folder / place).exists() for place in file.places)
        ]

    @property
    def bytes_needed(self) -> int:
        """The room that is needed at most: archives are deleted only after they are unpacked."""
        files = sum(file.bytes + file.unpacked_bytes for file in self.missing)
        pictures = self.with_pictures and not (self.folder / self.dataset.images).exists()
        return files + (self.dataset.picture_bytes if pictures else 0)

    def run(self, shown: Shown) -> None:
        """Fetch what is missing. Raises DataError with everything that failed."""
        self.refuse_full_disk()
        self.folder.mkdir(parents=True, exist_ok=True)
        problems: list[tuple[str, EvaluatorError]] = []
        ended = Event()

        def shown_unless_ended(name: str, done: int, whole: int | None) -> None:
            if ended.is_set():  # Ctrl-C reaches the main thread only
                raise InterruptedError("the command was interrupted")
            shown(name, done, whole)

        with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
            started = {file.name: pool.submit(self._fetch, file, shown_unless_ended) for file in self.missing}
            for name, future in started.items():
                try:
                    future.result()
                except EvaluatorError as error:
                    problems.append((name, error))
                except BaseException:
                    ended.set()
                    raise
        if problems:
            raise together(problems)
        if self.with_pictures and self.dataset.picture_bytes:
            self._fetch_pictures(shown)

    def refuse_full_disk(self) -> None:
        """Raise DataError where the disk has less room than the data set needs."""
        there = next(path for path in (self.folder, *self.folder.absolute().parents) if path.exists())
        free = shutil.disk_usage(there).free
        if free < self.bytes_needed:
            raise DataError(
                f"{self.folder}: {self.dataset.name} needs {self.bytes_needed / 1e9:,.1f} GB, and "
                f"{free / 1e9:,.1f} GB are free. Type --to DIR for another disk, or --no-pictures"
            )

    def _fetch(self, file: PublishedFile, shown: Shown) -> None:
        path = self.folder / file.name
        limit = file.bytes if file.digest and file.digest.startswith("sha256") else int(MARGIN * file.bytes)
        address = mirrored(file.address, self.mirror)
        download_whole(address, path, file.digest, limit, partial(shown, file.name))
        if file.results:
            unpack(path, file.results, self.folder, int(MARGIN * file.unpacked_bytes))
            path.unlink()

    def _fetch_pictures(self, shown: Shown) -> None:
        """The pictures at the addresses that the annotations give."""
        images = self.folder / self.dataset.images
        images.mkdir(exist_ok=True)
        addresses = picture_addresses(self.folder / self.dataset.annotations)
        missing = {name: url for name, url in addresses.items() if not (images / name).exists()}
        failures: list[str] = []

        def fetched(name: str) -> None:
            try:
                download_to(
                    mirrored(missing[name], self.mirror), images / name, allow_private=bool(self.mirror)
                )
            except ImageError as error:
                failures.append(str(error))

        with all_at_once(fetched, missing, PICTURES_AT_ONCE) as results:
            for number, _ in enumerate(results, len(addresses) - len(missing) + 1):
                shown("pictures", number, len(addresses))
        if failures:
            raise DataError(
                f"{images}: {len(failures):,} of {len(addresses):,} pictures could not be fetched, for "
                f"example {failures[0]}. Type the same command again"
            )


def mirrored(address: str, mirror: str | None) -> str:
    """The same file at a mirror, whose folders are named as `wget --force-directories` names them.

    >>> mirrored("http://images.cocodataset.org/zips/val2017.zip", "https://mirror.example/data/")
    'https://mirror.example/data/images.cocodataset.org/zips/val2017.zip'
    """
    if not mirror:
        return address
    parts = urlsplit(address)
    return f"{mirror.rstrip('/')}/{parts.netloc}{parts.path}"


class _Image(TypedDict):
    file_name: str
    coco_url: NotRequired[str]


class _Annotations(TypedDict):
    images: list[_Image]


def picture_addresses(annotations: Path) -> dict[str, str]:
    """File name -> address, of a file in COCO's format. Raises DataError for a name that is a path."""
    images: Sequence[_Image] = checked(read_json(annotations), _Annotations, annotations)["images"]
    found = {image["file_name"]: image["coco_url"] for image in images if "coco_url" in image}
    for name in found:
        if Path(name).name != name or "\\" in name:
            raise DataError(f"{annotations}: the picture name {name!r} is a path. Nothing is fetched")
    return found
