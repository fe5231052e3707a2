"""`evaluator arena RUN RUN`: a page on which people vote between two captions."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import echo, warn
from evaluator.cli.options import PICTURE_FOLDERS
from evaluator.cli.run_folders import only_runs
from evaluator.cli.web_app import WebOptions, until_ctrl_c, web_options


@click.command(name="vote")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN RUN...")
@click.option(
    "--votes",
    "goal",
    type=click.IntRange(min=1),
    help="How many votes there shall be in all; more can follow.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE.jsonl",
    help="The file of votes, which grows; votes.jsonl beside the runs by default.",
)
@PICTURE_FOLDERS
@web_options
def vote_command(
    runs: tuple[Path, ...],
    goal: int | None,
    output: Path | None,
    picture_folders: tuple[Path, ...],
    web: WebOptions,
) -> None:
    """Let people vote in a browser which of two captions is better. `evaluator arena RUN RUN` does the same.

    The page shows a picture and two captions, without the systems' names. Each vote is on the disk before the
    next question comes. The same command continues, and several people can vote at once, also on other
    machines with --host.
    """
    from random import SystemRandom

    from evaluator.arena.session_plan import sentence, session_plan
    from evaluator.arena.systems import VOTES, folder_of, names_of
    from evaluator.arena.votes import read_votes
    from evaluator.store.run import Run
    from evaluator.web.arena_app import arena_app
    from evaluator.web.arena_session import ArenaSession, contest

    loaded = [Run(path) for path in only_runs(runs)]
    if len(loaded) < 2:
        raise click.UsageError("type two runs or more: evaluator arena runs/ours runs/theirs")
    path = output or folder_of(loaded) / VOTES
    asked_about = contest(loaded, names_of(loaded), picture_folders)
    if path.exists():
        warn(read_votes([path])[1])  # a file that holds something else is named before anybody votes
    session = ArenaSession(asked_about, path, SystemRandom())
    there, _ = session.counts("")
    echo(f"{asked_about.captions.questions:,} questions; {path} holds {there:,} votes on them")
    if goal:
        echo(sentence(session_plan(len(loaded), goal)))
    with web.serving(lambda: arena_app(session, goal)) as served:
        until_ctrl_c(served, "Press Ctrl-C to end; every vote is saved")
    there, _ = session.counts("")
    echo(f"{path} holds {there:,} votes. Type: evaluator arena results {path}")
