"""Arrays on disk that can always be made again: a cache that any number of processes may use at once.

    >>> write_arrays("references", "0" * 64, {"lengths": np.array([3, 4])})
    >>> read_arrays("references", "0" * 64)["lengths"].tolist()
    [3, 4]
    >>> read_arrays("references", "1" * 64) is None
    True

A file is named after the digest of what its arrays were made from, so it is never out of date, only unused.
It is written beside its place and then moved there. One that is torn, damaged (each array has a checksum) or
somebody else's counts as missing and is written again. The least recently used files go when those of a
folder together take more than a gigabyte.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluator.files.cache_folder import cache_folder

BYTES_AT_MOST = 1 << 30
SUFFIX = ".npz"
# What is still there of a write after this time belongs to a process that was killed.
SECONDS_OF_A_WRITE = 3600.0

IntegerArrays = Mapping[str, NDArray[Any]]

logger = logging.getLogger(__name__)


def read_arrays(folder: str, key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays that were written for this digest, integers as 64 bits; None where there are none."""
    path = cache_folder(folder) / f"{key}{SUFFIX}"
    try:
        # Opened here, since np.load leaves a file open that turns out to be damaged.
        with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
            if _text(file["key"]) != key:
                return None
            arrays = {name: _wide(file[name]) for name in file.files if name != "key"}
        os.utime(path)  # it was used: the last to go
        return arrays
    except FileNotFoundError:
        return None
    # NumPy and zipfile meet a damaged file in many ways, MemoryError for a huge made-up shape among them.
    except Exception as error:
        logger.debug("%s cannot be used and is made again: %s", path, error)
        return None


def write_arrays(folder: str, key: str, arrays: IntegerArrays) -> None:
    """Keep the arrays for the next process. A full disk is no error: they are made again then."""
    place = cache_folder(folder)
    narrow: dict[str, Any] = {name: _narrow(array) for name, array in arrays.items()}
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".writing-", delete=False) as file:
            temporary = Path(file.name)
            try:
                np.savez(file, key=np.frombuffer(key.encode(), np.uint8), **narrow)
                file.close()
                temporary.replace(place / f"{key}{SUFFIX}")
            finally:
                temporary.unlink(missing_ok=True)
        _make_room(place)
    except OSError as error:
        logger.debug("%s: prepared arrays are not kept: %s", place, error)


def _make_room(folder: Path) -> None:
    """Delete the least recently used files beyond the limit, and what was left of writes that never ended."""
    left = BYTES_AT_MOST
    for path in sorted(folder.iterdir(), key=_last_used, reverse=True):
        with contextlib.suppress(FileNotFoundError):  # another process makes room too
            status = path.stat()
            if path.suffix == SUFFIX:
                left -= status.st_size
                if left < 0:
                    path.unlink()
            elif time.time() - status.st_mtime > SECONDS_OF_A_WRITE:
                path.unlink()


def _last_used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _narrow(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in half the room where they fit."""
    if array.dtype == np.int64 and (not array.size or -(2**31) <= array.min() <= array.max() < 2**31):
        return array.astype(np.int32)
    return array


def _wide(array: NDArray[Any]) -> NDArray[Any]:
    return array.astype(np.int64) if array.dtype == np.int32 else array


def _text(array: NDArray[Any]) -> str:
    return array.tobytes().decode("utf-8", "replace")
