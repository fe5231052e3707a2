"""`evaluator runs`: the runs that are there."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import echo, print_table
from evaluator.cli.options import WIDE_TABLE
from evaluator.store.run_folders import runs_below


@click.command(name="runs")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="runs", required=False)
@WIDE_TABLE
def runs_command(folder: Path) -> None:
    """List the runs in FOLDER, runs/ by default: what each is of, its score and cost, and what is missing."""
    from evaluator.report.text.runs import runs_table
    from evaluator.store.run_folder import RunFolder

    paths = runs_below(folder)
    if not paths:
        echo(f"{folder} holds no run. Type: evaluator run experiment=demo")
        return
    names = [str(path.relative_to(folder)) if path != folder else path.name for path in paths]
    table, problems = runs_table([RunFolder(path).load() for path in paths], names)
    print_table(table)
    for problem in problems:
        echo(problem)
