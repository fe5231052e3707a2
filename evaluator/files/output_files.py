"""Files that somebody asked for: their folders are made, and an error names the path that failed."""

from __future__ import annotations

from pathlib import Path

from evaluator.core.errors import StoreError
from evaluator.files.atomic import replace_file


def write_output(path: Path, text: str) -> None:
    """Write a file, whole or not at all, and the folders it lies in. Raises StoreError.

    What UTF-8 cannot hold, such as half of a surrogate pair, becomes a question mark.
    """
    make_folder_of(path)
    content = text.encode("utf-8", "replace")
    try:
        if path.exists() and not path.is_file():  # such as /dev/stdout
            path.write_bytes(content)
            return
        replace_file(path, content)
    except OSError as error:
        raise StoreError(
            f"cannot write {path}: {error.strerror}. Free space, correct the permissions, or type another"
        ) from error


def make_folder_of(path: Path) -> None:
    """Make the folders that an output file lies in. Raises StoreError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"cannot make the folder {path.parent} for {path.name}: {error.strerror}") from error
