"""What is new in a file that others append to: each line is read once, as soon as it is whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

from evaluator.core.errors import StoreError
from evaluator.files.regular_file import open_regular_file
from evaluator.store.reading import read_lines
from evaluator.store.run_files import LIMITS

Line = TypeVar("Line")

LARGEST = 1_000_000_000  # bytes of a file that no run folder holds
AT_ONCE = 16_000_000  # bytes that are read at a time


class NewLines(Generic[Line]):
    """The lines of a file such as captions.jsonl. Where the file is replaced, it is read anew."""

    def __init__(self, path: Path, read: Callable[[bytes], Line]) -> None:
        self.path = path
        self._read = read
        self._limit = LIMITS.get(path.name, LARGEST)
        self._begin(None)

    def _begin(self, file: int | None) -> None:
        self._file = file  # the inode
        self._offset = 0
        self._lines = 0
        self._rest = b""  # a line without its end

    def read(self) -> tuple[bool, list[Line]]:
        """Whether the file is another one than before, and the lines that are new.

        A file that is not there yet has none. Raises StoreError where a line is not what this program writes;
        the next call meets it again.
        """
        try:
            descriptor = open_regular_file(self.path, os.O_RDONLY)
        except FileNotFoundError:
            was_there = self._file is not None
            self._begin(None)
            return was_there, []
        except OSError as error:
            raise StoreError(f"cannot read {self.path}: {error.strerror or error}") from error
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            is_another = self._file is not None and (
                status.st_ino != self._file or status.st_size < self._offset
            )
            if is_another or self._file is None:
                self._begin(status.st_ino)
            if status.st_size > self._limit:
                raise StoreError(
                    f"{self.path} is larger than the {self._limit / 1e6:,.0f} MB that are read of such a file"
                )
            new: list[Line] = []
            file.seek(self._offset)
            while content := file.read(AT_ONCE):
                new += self._understood(content)
        return is_another, new

    def _understood(self, content: bytes) -> list[Line]:
        whole, line_break, rest = (self._rest + content).rpartition(b"\n")
        new = list(read_lines(whole + line_break, str(self.path), self._read, True, self._lines + 1))
        self._lines += whole.count(b"\n") + len(line_break)
        self._offset += len(content)
        self._rest = rest
        return new
