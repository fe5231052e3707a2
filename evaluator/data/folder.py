"""A folder of pictures, with its sub-folders, as a data set.

    evaluator run data=folder data.images=holiday model=git

An image's id is its path within the folder, such as beach/kite.jpg. The lines of a text file beside a picture
(kite.txt or kite.jpg.txt) are its references; or a file of references names the pictures. Without any, only
metrics that need no references can be computed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from evaluator.core import RUNTIME_ONLY, Item
from evaluator.core.errors import DataError
from evaluator.data.picture_files import files_within, with_pictures
from evaluator.data.references_file import ReferencesFile
from evaluator.files.images import is_picture_name, without_ending
from evaluator.files.json_input import read_text


@dataclass(frozen=True)
class PictureFolder:
    """Every picture in a folder and its sub-folders, hidden ones left out."""

    kind: ClassVar[str] = "folder"

    images: Path
    references: Path | None = None
    tags: Literal["folders"] | None = field(default=None, metadata=RUNTIME_ONLY)  # changes no caption

    def load(self) -> list[Item]:
        """The items in the order of their paths. Raises DataError where there is no folder or no picture."""
        files = frozenset(files_within(self.images))
        pictures = pictures_among(files, self.images)
        given = self._given()
        return [
            Item(
                written(name),
                path,
                given.get(path) or references_beside(name, files, self.images),
                folder_of(name) if self.tags else (),
            )
            for name in pictures
            if (path := self.images / name)
        ]

    def _given(self) -> Mapping[Path | None, tuple[str, ...]]:
        """The references of the file, by picture; an id is a picture's name where the file gives no other."""
        if self.references is None:
            return {}
        listed = ReferencesFile(None, self.references).references().images
        named = [
            image if image.file_name or image.id.isdecimal() else image._replace(file_name=image.id)
            for image in listed
        ]
        return {item.image: item.references for item in with_pictures(named, self.images, self.references)}


def pictures_in(folder: Path) -> list[str]:
    """The pictures of a folder and its sub-folders, as sorted paths from the folder. Raises DataError."""
    return pictures_among(files_within(folder), folder)


def pictures_among(files: Iterable[str], folder: Path) -> list[str]:
    """The pictures among the files of a folder, sorted. Raises DataError where there is none."""
    if pictures := sorted(filter(is_picture_name, files)):
        return pictures
    raise DataError(f"{folder}: there are no pictures in this folder, nor in its sub-folders")


def folder_of(name: str) -> tuple[str, ...]:
    """The outermost sub-folder that a picture is in, as its tag.

    >>> folder_of("beach/2024/kite.jpg"), folder_of("kite.jpg")
    (('beach',), ())
    """
    outermost, slash, _ = name.partition("/")
    return (written(outermost),) if slash else ()


def references_beside(name: str, files: frozenset[str], folder: Path) -> tuple[str, ...]:
    """The lines of the text file beside a picture, those of blanks left out."""
    for beside in (f"{without_ending(name)}.txt", f"{name}.txt"):
        if beside in files:
            lines = read_text(folder / beside).splitlines()
            return tuple(line.strip() for line in lines if line.strip())
    return ()


def written(name: str) -> str:
    r"""A file's name as an id: bytes that are no UTF-8 as escapes, since no JSON file can hold them.

    >>> written("caf\udce9.jpg")
    'caf\\udce9.jpg'
    """
    return name.encode(errors="backslashreplace").decode()
