"""`evaluator arena`: which of two captions people prefer."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.arena_auto import auto_command
from evaluator.cli.arena_judge import judge_command
from evaluator.cli.arena_vote import vote_command
from evaluator.cli.console import ExitCode, echo, print_document, print_table, warn
from evaluator.cli.options import SEED, WIDE_TABLE, format_option, resamples_option


class VotesByDefault(click.Group):
    """A group whose first argument may be a run: then people vote."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in (*self.commands, *ctx.help_option_names):
            args = [vote_command.name or "", *args]
        return super().parse_args(ctx, args)


@click.group(name="arena", cls=VotesByDefault)
def arena_command() -> None:
    """Let people, or a judge, choose between two captions of an image, and rate the systems by their votes.

    evaluator arena runs/ours runs/theirs --votes 200

    opens a page to vote on; `evaluator arena vote --help` explains it.
    """


for each in (vote_command, judge_command, auto_command):
    arena_command.add_command(each)


@arena_command.command(name="results")
@click.argument(
    "votes", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@format_option("table", "markdown", "latex", "csv", "json", "html")
@click.option("--matrix", is_flag=True, help="Also print how often each system wins against each other.")
@click.option(
    "--runs",
    "folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of the runs, for the lengths of captions; that of the votes by default.",
)
@resamples_option(100)
@SEED
@WIDE_TABLE
def results_command(
    votes: tuple[Path, ...], form: str, matrix: bool, folders: tuple[Path, ...], resamples: int, seed: int
) -> ExitCode:
    """Rate the systems in files of votes.

    A file is one of the arena's own, or a table of image, a, b, winner and rater. The winner is a, b, tie or
    both_bad. Several files are read as one. Each judge's votes are rated by themselves, and compared with
    people's.
    """
    from evaluator.arena.panels import panels
    from evaluator.arena.systems import captions_near
    from evaluator.arena.votes import read_votes
    from evaluator.core.errors import DataError
    from evaluator.report.text.arena import FORMATS, matrix_table, notes, ratings_table

    found, warnings = read_votes(votes)
    warn(warnings)
    has_judges = any(vote.by == "judge" for vote in found)
    near = folders or tuple(dict.fromkeys(path.parent for path in votes))
    rated = panels(found, captions_near(found, near) if has_judges else None, resamples, seed)
    if not rated:
        raise DataError("there are no votes to rate")
    if form != "table":
        print_document(FORMATS[form](rated))
        return ExitCode.OK
    for panel in rated:
        print_table(ratings_table(panel))
        if matrix:
            print_table(matrix_table(panel.ratings))
        for note in notes(panel):
            echo(note)
    return ExitCode.OK
