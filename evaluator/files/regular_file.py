"""Files that other people wrote: only regular files are opened, and none is read that fills the memory.

A pipe or a device may never end, and a link leads elsewhere.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from evaluator.core.errors import DataError

# The largest annotations files, such as dataset_coco.json, have some 150 MB.
LIMIT_BYTES = 2_000_000_000
# What a system lacks is left out: Windows has no pipes among its files, and opens text in a mode of its own.
ALWAYS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def open_regular_file(path: Path, flags: int) -> int:
    """`os.open` for a regular file. Raises OSError for a symbolic link, a folder, a pipe or a device."""
    if path.is_symlink():  # for systems without O_NOFOLLOW
        raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed")
    descriptor = os.open(path, flags | ALWAYS, 0o666)  # a pipe that nobody writes to is not waited for
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not an ordinary file")
    return descriptor


def read_regular_file(path: Path, limit: int = LIMIT_BYTES) -> bytes:
    """The content of a regular file, or of one that a link leads to.

    Raises DataError that says what is there instead, and for more than `limit` bytes.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise DataError(f"{path}: this is a folder, not a file")
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{path}: this is a pipe or a device. Save its content to a file first")
        if status.st_size > limit:
            raise DataError(f"{path}: {in_megabytes(status.st_size)}, more than {in_megabytes(limit)}")
        with path.open("rb") as file:
            content = file.read(limit + 1)  # a file of /proc has no size, and a log may grow meanwhile
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except (OSError, ValueError) as error:  # ValueError: a path with NUL
        reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else error
        raise DataError(f"{path}: cannot be read: {reason}") from error
    if len(content) > limit:
        raise DataError(f"{path}: more than {in_megabytes(limit)}")
    return content


def in_megabytes(size: int) -> str:
    """A size for a message.

    >>> in_megabytes(2_000_000_000)
    '2,000 MB'
    """
    return f"{size / 1e6:,.0f} MB"
