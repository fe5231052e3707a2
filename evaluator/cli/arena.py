"""`evaluator arena`: which of two captions people prefer."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.arena_vote import vote_command
from evaluator.cli.console import ExitCode, echo, print_document, print_table, warn
from evaluator.cli.options import WIDE_TABLE


class VotesByDefault(click.Group):
    """A group whose first argument may be a run: then people vote."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = [vote_command.name or "", *args]
        return super().parse_args(ctx, args)


@click.group(name="arena", cls=VotesByDefault)
def arena_command() -> None:
    """Let people vote between two captions of an image, and rate the systems by their votes.

    evaluator arena runs/ours runs/theirs --votes 200

    opens a page to vote on; `evaluator arena vote --help` explains it.
    """


arena_command.add_command(vote_command)


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
    """Rate the systems in files of votes.

    A file is one of the arena's own, or a table of image, a, b, winner and rater. The winner is a, b, tie or
    both_bad. Several files are read as one.
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
