"""`evaluator view`: the runs of a folder in a browser, while they run."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import echo
from evaluator.cli.options import PICTURE_FOLDERS
from evaluator.cli.web_app import WebOptions, until_ctrl_c, web_options


@click.command(name="view")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default="runs", required=False)
@PICTURE_FOLDERS
@web_options
def view_command(folder: Path, picture_folders: tuple[Path, ...], web: WebOptions) -> None:
    """See the runs in FOLDER, runs/ by default, in a browser, also while they run.

    The page lists the runs with their progress, speed, cost and scores. Of a running one it shows the newest
    captions with their pictures, the failures, and how the captions are written. Runs that you select are
    compared in a report. Nothing is changed, and nobody without the printed address can see it.
    """
    from evaluator.web.app import web_app
    from evaluator.web.listed_runs import ListedRuns

    runs = ListedRuns(folder, picture_folders)
    if not runs.paths():
        echo(f"{folder} holds no run yet. The page shows one as soon as it begins")
    with web.serving(lambda: web_app(runs)) as served:
        until_ctrl_c(served, "Press Ctrl-C to end")
