"""Pictures as the web app shows them: JPEGs of two sizes, a few at a time, the last ones kept."""

from __future__ import annotations

import html
import threading
from functools import lru_cache
from pathlib import Path

from evaluator.core.errors import ImageError
from evaluator.files.images import file_of, thumbnail

SIZES = {"small": 640, "large": 1600}  # pixels of width, at most
KEPT = 300  # some 80 KB each
AT_ONCE = 2  # a decoded picture may take 0.8 GB


class ShownPictures:
    """Several threads may ask at once."""

    def __init__(self) -> None:
        self._free = threading.Semaphore(AT_ONCE)
        self._jpeg = lru_cache(maxsize=KEPT)(self._make)

    def jpeg(self, path: Path, width: int) -> bytes:
        """Raises ImageError where the picture cannot be read."""
        try:
            status = file_of(path).stat()
        except (OSError, ValueError) as error:
            raise ImageError(f"{path}: cannot be read: {error}") from error
        return self._jpeg(path, width, status.st_mtime_ns, status.st_size)

    def _make(self, path: Path, width: int, *state: int) -> bytes:
        with self._free:
            return thumbnail(path, width)


def placeholder(text: str) -> str:
    """A picture, as SVG, that says why there is none."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="320" height="180">'
        '<rect width="320" height="180" fill="#8882"/>'
        f'<text x="160" y="95" text-anchor="middle" font-family="sans-serif" fill="#888">{html.escape(text)}'
        "</text></svg>"
    )
