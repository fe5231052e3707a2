"""Which of the typed paths are runs, and which runs a folder holds."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import click

from evaluator.cli.console import warn


def only_runs(paths: Sequence[Path]) -> list[Path]:
    """The runs among several paths, as `runs/*` gives them; one line names what is left out.

    A path that does not exist is a mistake: UsageError. So is a list without a run, which stays as it is for
    the reader of run folders to refuse.
    """
    if missing := next((path for path in paths if not path.exists()), None):
        raise click.UsageError(f"there is no run {str(missing)!r}. Type evaluator runs to see what there is")
    runs = [path for path in paths if is_run(path)]
    if not runs:
        return list(paths)
    if others := [str(path) for path in paths if path not in runs]:
        warn([f"left out, since these are not runs: {', '.join(others)}"])
    return runs


def is_run(path: Path) -> bool:
    """Whether a path is a run folder, or a file that `evaluator baseline` wrote."""
    return (path / "manifest.json").is_file() or (path.is_file() and zipfile.is_zipfile(path))


def runs_below(folder: Path) -> list[Path]:
    """The run folders in a folder and in its folders, in the order of their names."""
    found = [path.parent for pattern in ("*", "*/*") for path in folder.glob(f"{pattern}/manifest.json")]
    return sorted([*([folder] if is_run(folder) else []), *found])
