"""Which pictures a page may show: those of runs that were made on this machine, and those below folders that
the user names.

A run folder says where its pictures lie, and it may be somebody else's: a page with any picture of this
machine that such a folder names would be passed on with it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from evaluator.core import Item
from evaluator.files.images import is_file
from evaluator.store.run import Run

# The pictures of the demo, which everybody has.
OF_THE_PACKAGE = Path(__file__).parents[2] / "demo" / "data"


@dataclass(frozen=True)
class NamedFolders:
    """Folders that the user named, by --images DIR."""

    folders: tuple[Path, ...] = ()

    def picture(self, item: Item, run: Run) -> Path | None:
        """Where the picture lies that a page may show; None where it may not.

        A run that came from another machine names other folders: its pictures are found by their names.
        """
        if item.image is None or run.has_own_items:
            return item.image
        return self._allowed(item.image) or next(
            (found for folder in self.folders if (found := self._allowed(folder / item.image.name))), None
        )

    def _allowed(self, path: Path) -> Path | None:
        """The path, where a file may lie there that is below one of the folders, links followed."""
        try:
            real = os.path.join(_real(str(path.parent)), path.name)
            if os.path.islink(real):
                real = os.path.realpath(real)
            allowed = any(
                os.path.commonpath((folder, real)) == folder
                for folder in map(_real, map(str, (OF_THE_PACKAGE, *self.folders)))
            )
        except (OSError, ValueError):  # a path that no system has
            return None
        return path if allowed and is_file(Path(real)) else None


@lru_cache(maxsize=10_000)
def _real(folder: str) -> str:
    return os.path.realpath(folder)


def common_folder(images: Sequence[Path]) -> str:
    """The folder that all these pictures would be below; empty where there is none.

    >>> common_folder([Path("/data/coco/train/1.jpg"), Path("/data/coco/val/2.jpg")])
    '/data/coco'
    """
    try:
        return os.path.commonpath([str(image.parent) for image in images])
    except ValueError:
        return ""
