"""ZIP archives of other people, unpacked so that nothing outside the target can be touched.

All entries are checked before the first is unpacked. A path that leads out of the target, a symbolic link, a
device, or a name that two entries share: then nothing of the archive is used. Bytes are counted while they
are unpacked, since an archive may say anything about its sizes.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from evaluator.core.errors import DataError
from evaluator.files.regular_file import in_megabytes

MOST_ENTRIES = 500_000
CHUNK_BYTES = 1 << 20


def unpack(archive: Path, results: Sequence[str], target: Path, limit: int) -> None:
    """Put `results`, files or folders of the archive, into `target`, each whole or not at all.

    Nothing else is unpacked, and no more than `limit` bytes. What is there already is kept. Raises DataError
    that names the archive and the entry.
    """
    try:
        with (
            zipfile.ZipFile(archive) as opened,
            tempfile.TemporaryDirectory(prefix=".unpacking-", dir=target) as folder,
        ):
            _write(opened, list(_wanted(opened, archive, results)), Path(folder), archive, limit)
            for result in results:
                _put(Path(folder) / result, target / result, archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        # RuntimeError: an entry with a password
        raise DataError(f"{archive}: the archive is damaged or cannot be read: {error}") from error


def _wanted(opened: zipfile.ZipFile, archive: Path, results: Sequence[str]) -> Iterator[zipfile.ZipInfo]:
    """The files to unpack. Raises DataError where any entry of the archive is hostile."""
    entries = opened.infolist()
    if len(entries) > MOST_ENTRIES:
        raise DataError(f"{archive}: {len(entries):,} entries are more than {MOST_ENTRIES:,}. It is not used")
    names: set[str] = set()
    for entry in entries:
        if reason := _hostile(entry, names):
            raise DataError(f"{archive}: the entry {entry.filename!r} {reason}. Nothing is unpacked")
        names.add(entry.filename.casefold())
    for entry in entries:
        is_wanted = any(f"{entry.filename}/".startswith(f"{result}/") for result in results)
        if is_wanted and not entry.is_dir():
            yield entry


def _hostile(entry: zipfile.ZipInfo, earlier: set[str]) -> str | None:
    """What is wrong with an entry; None for an ordinary file or folder."""
    name = entry.orig_filename  # as it is in the archive: zipfile cuts it at a NUL
    parts = re.split(r"[\\/]", name)
    if ".." in parts or name.startswith(("/", "\\")) or ":" in parts[0] or "\0" in name:
        return "leads out of the folder"
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind == stat.S_IFLNK:
        return "is a symbolic link"
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is no ordinary file"
    return "is in the archive twice" if entry.filename.casefold() in earlier else None


def _write(
    opened: zipfile.ZipFile, entries: Sequence[zipfile.ZipInfo], folder: Path, archive: Path, limit: int
) -> None:
    left = limit
    for entry in entries:
        path = folder / entry.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(entry) as content, path.open("xb") as file:
            while chunk := content.read(CHUNK_BYTES):
                left -= len(chunk)
                if left < 0:
                    raise DataError(
                        f"{archive}: it holds more than {in_megabytes(limit)}. Nothing is unpacked"
                    )
                file.write(chunk)


def _put(result: Path, place: Path, archive: Path) -> None:
    """Move what was unpacked to its place."""
    if not result.exists():
        raise DataError(
            f"{archive}: {result.name} is not in the archive. It is not the one that was expected"
        )
    if os.path.lexists(place):
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(result, place)
