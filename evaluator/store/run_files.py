"""Where the files of a run are read: a folder, or the one file that `evaluator baseline` writes.

Both may be somebody else's. Only files with the names that a run has are read, from a folder only ordinary
files, and never more of one than its limit. Whatever is wrong is a StoreError with the file's name.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Protocol

from evaluator.core.errors import StoreError
from evaluator.files.regular_file import open_regular_file

# The most bytes that are read of each file. A run of 1,000,000 images needs a fifth to a half of it.
LIMITS: Mapping[str, int] = MappingProxyType(
    {
        "config.yaml": 1_000_000,
        "manifest.json": 10_000_000,
        "scores.json": 10_000_000,
        "items.jsonl": 2_000_000_000,
        "captions.jsonl": 1_000_000_000,
        "requests.jsonl": 1_000_000_000,
        "batches.jsonl": 100_000_000,
        "answers.jsonl": 1_000_000_000,
        "statistics.npz": 2_000_000_000,
        "notes.json": 500_000_000,
    }
)
MANIFEST = "manifest.json"
# How `evaluator baseline` packs. With other methods, zipfile may unpack more than it is asked for.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
MAKE_IT = "Make it with: evaluator baseline"


class RunFiles(Protocol):
    """The files of one run."""

    @property
    def name(self) -> str:
        """What the run's folder is called."""

    def has(self, name: str) -> bool:
        """Whether there is something of this name."""

    def read(self, name: str) -> bytes:
        """The content of a file. Raises StoreError with the file's name where it cannot be read."""

    def size(self, name: str) -> int:
        """The bytes of a file; none where it is not there."""

    def where(self, name: str) -> str:
        """The file in an error's message."""


@dataclass(frozen=True)
class FolderFiles:
    """A run folder."""

    path: Path

    @property
    def name(self) -> str:
        return self.path.name

    def has(self, name: str) -> bool:
        return os.path.exists(self.path / name)

    def read(self, name: str) -> bytes:
        limit = LIMITS[name]
        try:
            with os.fdopen(open_regular_file(self.path / name, os.O_RDONLY), "rb") as file:
                size = os.fstat(file.fileno()).st_size
                content = b"" if size > limit else file.read()
        except OSError as error:
            raise StoreError(f"cannot read {self.where(name)}: {error.strerror or error}") from error
        except MemoryError as error:
            raise StoreError(f"cannot read {self.where(name)}: it does not fit into memory") from error
        return within_limit(content, limit, self.where(name), size)

    def size(self, name: str) -> int:
        path = self.path / name
        return path.stat().st_size if path.exists() else 0

    def where(self, name: str) -> str:
        return str(self.path / name)


@dataclass(frozen=True)
class ArchiveFiles:
    """A baseline: a zip file that holds one run folder. It is read in place, nothing is unpacked."""

    path: Path
    name: str
    sizes: Mapping[str, int]  # of each file when unpacked, as the archive says

    @classmethod
    def of(cls, path: Path) -> ArchiveFiles:
        """Raises StoreError for a file that is not a baseline."""
        with opened(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            if not all(member.compress_type in METHODS for member in members):
                raise StoreError(f"{path} is not a baseline file: it is packed in another way. {MAKE_IT}")
            folders = {member.filename.partition("/")[0] for member in members}
            sizes = {member.filename.partition("/")[2]: member.file_size for member in members}
            if len(folders) != 1 or MANIFEST not in sizes or not is_folder_name(name := folders.pop()):
                raise StoreError(f"{path} is not a baseline file: it does not hold one run. {MAKE_IT}")
            if len(sizes) != len(members):
                raise StoreError(f"{path} is not a baseline file: it holds a file twice. {MAKE_IT}")
        return cls(path, name, sizes)

    def has(self, name: str) -> bool:
        return name in self.sizes

    def read(self, name: str) -> bytes:
        limit = LIMITS[name]
        if not self.has(name):
            raise StoreError(f"cannot read {self.where(name)}: there is no such file. {MAKE_IT}")
        if self.sizes[name] > limit:
            return within_limit(b"", limit, self.where(name), self.sizes[name])
        with opened(self.path) as archive, archive.open(f"{self.name}/{name}") as member:
            return within_limit(member.read(limit + 1), limit, self.where(name))

    def size(self, name: str) -> int:
        return self.sizes.get(name, 0)

    def where(self, name: str) -> str:
        return f"{self.path}/{self.name}/{name}"


@cache
def _archive(path: Path, *state: int) -> ArchiveFiles:
    return ArchiveFiles.of(path)


def files_at(path: Path) -> RunFiles:
    """The files of the run at `path`. Raises StoreError for a file that is not a baseline."""
    if os.path.isfile(path):
        state = path.stat()
        return _archive(path, state.st_ino, state.st_mtime_ns, state.st_size)
    return FolderFiles(path)


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive; whatever zipfile raises over a damaged one becomes a StoreError."""
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except StoreError:
        raise
    except Exception as error:  # zipfile, zlib and struct each have errors of their own
        reason = str(error) or type(error).__name__
        raise StoreError(f"{path} is not a baseline file ({reason[:200]}). {MAKE_IT}") from error


def within_limit(content: bytes, limit: int, where: str, size: int = 0) -> bytes:
    """The content. Raises StoreError where there is more of it than may be read."""
    if max(size, len(content)) > limit:
        raise StoreError(f"{where} is larger than the {limit / 1e6:,.0f} MB that are read of such a file")
    return content


def is_folder_name(name: str) -> bool:
    r"""Whether this is the name of a folder and not a path.

    >>> [is_folder_name(name) for name in ("demo run", "a:b", "..", "", "..\\b")]
    [True, True, False, False, False]
    """
    return name.strip(". ") != "" and len(name) <= 255 and not any(c in "/\\" or c < " " for c in name)
