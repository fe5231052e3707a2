"""A list of pictures, at addresses or in a folder, as a data set.

    evaluator run data=list data.file=Validation_GCC.tsv model=git limit=100

The file has one address per line; or captions and addresses with a tab between them, as Conceptual
Captions (Sharma et al. 2018) is published; or a column such as `url`, as `data/references_file.py` reads it.
An image's id is its address. Pictures are fetched into the cache folder, once, when a run needs them.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from evaluator.core import RUNTIME_ONLY, Item
from evaluator.core.errors import DataError, ImageError
from evaluator.data.picture_files import AnnotatedImage, with_pictures
from evaluator.data.references_file import ReferencesFile
from evaluator.files.cache_folder import cache_folder
from evaluator.files.downloads import all_at_once, download_to, file_name, is_address
from evaluator.files.images import format_of, is_picture_name, read_file
from evaluator.files.json_input import read_text

logger = logging.getLogger(__name__)

AT_ONCE = 16
SHOWN_FAILURES = 3
PICTURES_BETWEEN_LINES = 1000


@dataclass(frozen=True)
class PictureList:
    """The pictures that a file lists, each with the captions that it has there."""

    kind: ClassVar[str] = "list"

    file: Path
    images: Path | None = field(default=None, metadata=RUNTIME_ONLY)  # of names that are no addresses
    allow_private: bool = field(default=False, metadata=RUNTIME_ONLY)

    def load(self) -> list[Item]:
        """The items in the order of the file; nothing is fetched yet. Raises DataError."""
        references = read_list(self.file)
        names = [name for name in references if not is_address(name)]
        listed = [AnnotatedImage(name, name, references[name]) for name in names]
        folder = self.images or self.file.parent
        local = {item.id: item for item in with_pictures(listed, folder, self.file)} if listed else {}
        fetched = cache_folder("pictures")
        return [
            local.get(name) or Item(name, fetched / file_name(name), texts, file_name=name)
            for name, texts in references.items()
        ]

    def fetch(self, items: Sequence[Item]) -> None:
        """Fetch the pictures of these items that are not there yet; the log says which could not be."""
        missing = [item for item in items if is_address(item.id) and item.image and not item.image.exists()]
        if not missing:
            return
        logger.info("%s: fetching %s pictures", self.file, f"{len(missing):,}")
        failures: list[str] = []
        with all_at_once(self._fetch, missing, AT_ONCE) as results:
            for number, failure in enumerate(results, 1):
                failures += [failure] if failure else []
                if number % PICTURES_BETWEEN_LINES == 0:
                    logger.info("%s: %s of %s", self.file, f"{number:,}", f"{len(missing):,}")
        if failures:
            shown = "; ".join(failures[:SHOWN_FAILURES])
            logger.warning(
                "%s: %s of %s pictures could not be fetched and get no caption: %s",
                *(self.file, f"{len(failures):,}", f"{len(missing):,}", shown),
            )

    def _fetch(self, item: Item) -> str | None:
        """Why the picture could not be fetched."""
        assert item.image
        try:
            download_to(item.id, item.image, self.allow_private)
            if not format_of(read_file(item.image)):
                item.image.unlink()
                return f"{item.id}: what the server sends is no picture"
        except ImageError as error:
            advice = ". data.allow_private=true allows it" if "private network" in str(error) else ""
            return f"{error}{advice}"
        return None


def read_list(path: Path) -> Mapping[str, tuple[str, ...]]:
    """Address or file name -> its captions. Raises DataError where the file lists no pictures."""
    lines = [line for line in read_text(path).split("\n") if line.strip()]
    if not lines or not any(map(_is_place, _cells(lines[0]))):
        images = ReferencesFile(None, path).references().images
        return {image.file_name or image.id: image.references for image in images}
    references: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(lines, 1):
        cells = _cells(line)
        place = next(filter(_is_place, reversed(cells)), None)
        if place is None or len(cells) > 2:
            raise DataError(
                f"{path}: line {number}: expected an address, or a caption, a tab and an address, found "
                f"{line[:80]!r}"
            )
        texts = tuple(cell for cell in cells if cell is not place and cell)
        references[place] = (*references.get(place, ()), *texts)
    return references


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("\t")]


def _is_place(cell: str) -> bool:
    """Whether a cell says where a picture is.

    >>> [_is_place(cell) for cell in ("https://example.org/a", "b.jpg", "a dog", "see http://x.org")]
    [True, True, False, False]
    """
    return (is_address(cell) and " " not in cell) or is_picture_name(cell)
