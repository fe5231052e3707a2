"""Files of somebody else's folder: only ordinary ones are opened, and no symbolic link is followed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

# What a system lacks is left out: Windows has no pipes among its files, and opens text in a mode of its own.
ALWAYS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def plain(path: Path, flags: int) -> int:
    """`os.open` for an ordinary file. Raises OSError for a symbolic link, a folder, a pipe or a device."""
    if path.is_symlink():  # for systems without O_NOFOLLOW
        raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed")
    descriptor = os.open(path, flags | ALWAYS, 0o666)  # a pipe that nobody writes to is not waited for
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not an ordinary file")
    return descriptor
