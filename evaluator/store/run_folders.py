"""Which runs a folder holds, and which of them a process is writing to."""

from __future__ import annotations

import os
import time
import zipfile
from pathlib import Path

from evaluator.files.regular_file import open_regular_file

# Held by whoever writes to a run folder. A file of its own: Windows lets nobody read a file that is locked.
LOCK = ".lock"
RECENT_SECONDS = 60.0


def is_run(path: Path) -> bool:
    """Whether a path is a run folder, or a file that `evaluator baseline` wrote."""
    return (path / "manifest.json").is_file() or (path.is_file() and zipfile.is_zipfile(path))


def runs_below(folder: Path) -> list[Path]:
    """The run folders in a folder and in its folders, in the order of their names."""
    found = [path.parent for pattern in ("*", "*/*") for path in folder.glob(f"{pattern}/manifest.json")]
    return sorted([*([folder] if is_run(folder) else []), *found])


def is_being_written(path: Path) -> bool:
    """Whether a process captions or scores this run now. Nothing is written, and nobody is held up.

    The lock is looked at for a moment, shared, for which `RunFolder.lock` has patience. A system without
    flock, such as Windows, goes by the time of the last caption.
    """
    try:
        descriptor = open_regular_file(path / LOCK, os.O_RDONLY)
    except OSError:
        return False
    try:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (ImportError, OSError):
        return _was_written_recently(path)
    finally:
        os.close(descriptor)
    return False


def _was_written_recently(path: Path) -> bool:
    try:
        return time.time() - (path / "captions.jsonl").stat().st_mtime < RECENT_SECONDS
    except OSError:
        return False
