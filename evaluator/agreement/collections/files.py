"""Where the files of a collection lie."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluator.core.errors import DataError


def in_folder(folder: Path, *names: str) -> Path:
    """The file with the first of these names that the folder, or one below it, has."""
    return all_in_folder(folder, names)[0]


def all_in_folder(folder: Path, patterns: Sequence[str]) -> list[Path]:
    """All files that match the first pattern with a match, sorted. Raises DataError where there is none."""
    if not folder.exists():
        raise DataError(f"{folder}: there is no such folder")
    for pattern in patterns:
        if folder.is_dir() and (found := sorted(folder.rglob(pattern))):
            return found
    raise DataError(f"{folder}: this is not a folder with {' or '.join(patterns)}")
