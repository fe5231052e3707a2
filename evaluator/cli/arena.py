"""`evaluator arena`: which of two captions people prefer."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import ExitCode, echo, print_document, print_table, warn
from evaluator.cli.options import WIDE_TABLE


@click.group(name="arena")
def arena_command() -> None:
    """Rate systems by votes between two captions of an image."""


@arena_command.command(name="results")
@click.argument(
    "votes", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "latex", "csv", "json", "html"]),
    default="table",
    show_default=True,
)
@click.option("--matrix", is_flag=True, help="Also print how often each system wins against each other.")
@click.option("--resamples", type=click.IntRange(100), default=1000, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True)
@WIDE_TABLE
def results_command(votes: tuple[Path, ...], form: str, matrix: bool, resamples: int, seed: int) -> ExitCode:
    """Rate the systems in files of votes: the arena's own, or a table of image, a, b, winner and rater.

    The winner is a, b, tie or both_bad. Several files are read as one.
    """
    from evaluator.arena.consistency import consistency
    from evaluator.arena.ratings import rate
    from evaluator.arena.votes import read_votes
    from evaluator.report.text.arena import FORMATS, matrix_table, notes, ratings_table

    found, warnings = read_votes(votes)
    warn(warnings)
    ratings = rate(found, resamples, seed=seed)
    if form != "table":
        print_document(FORMATS[form](ratings))
        return ExitCode.OK
    print_table(ratings_table(ratings))
    if matrix:
        print_table(matrix_table(ratings))
    for note in notes(ratings, consistency(found)):
        echo(note)
    return ExitCode.OK
