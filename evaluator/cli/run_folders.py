"""Which of the typed paths are runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from evaluator.cli.console import warn
from evaluator.store.run_folders import is_run


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
