"""`evaluator report`: one HTML page about some runs."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import echo
from evaluator.cli.options import PICTURE_FOLDERS, RANK_BY
from evaluator.cli.run_folders import only_runs


@click.command(name="report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"))
@click.option(
    "--pictures",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="The number of pictures in the page. Captions and scores of all images are always there.",
)
@click.option(
    "--pictures-beside", is_flag=True, help="Put all pictures into a folder beside the page, OUTPUT_pictures."
)
@RANK_BY
@PICTURE_FOLDERS
def report_command(
    runs: tuple[Path, ...],
    output: Path,
    pictures: int,
    pictures_beside: bool,
    rank_by: str | None,
    picture_folders: tuple[Path, ...],
) -> None:
    """Write one HTML page about some runs. It is self-contained unless the pictures are put beside it."""
    from evaluator.comparison.compare import compare
    from evaluator.report.page.html import write_report

    source = output.with_name(f"{output.stem}_pictures") if pictures_beside else pictures
    comparison = compare(only_runs(runs), rank_by=rank_by)
    echo(write_report(comparison, output, source, picture_folders=picture_folders))
