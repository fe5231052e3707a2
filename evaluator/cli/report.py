"""`evaluator report`: one HTML page about some runs."""

from __future__ import annotations

import re
from pathlib import Path

import click

from evaluator.cli.console import echo
from evaluator.cli.options import PICTURE_FOLDERS, RANK_BY, VOTES, output_option
from evaluator.cli.run_folders import only_runs

DEFAULT_PIXELS, LEAST_PIXELS, MOST_PIXELS = 640, 64, 8192


class PicturesType(click.ParamType[tuple[int, int]]):
    """`200`, or `200x1024` for pictures of 1,024 pixels."""

    name = "number[xpixels]"

    def convert(
        self, value: str | tuple[int, int], parameter: click.Parameter | None, context: click.Context | None
    ) -> tuple[int, int]:
        if isinstance(value, tuple):
            return value
        found = re.fullmatch(r"(\d{1,6})(?:x(\d{1,5}))?", value.strip())
        if not found or not (LEAST_PIXELS <= (width := int(found[2] or DEFAULT_PIXELS)) <= MOST_PIXELS):
            self.fail(
                f"{value!r} is not a number of pictures, nor a number and a width in pixels from "
                f"{LEAST_PIXELS} to {MOST_PIXELS}, such as 200x{DEFAULT_PIXELS}",
                parameter,
                context,
            )
        return int(found[1]), width


def named_runs(context: click.Context, parameter: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """`RUN=NAME` for each run that gets another name."""
    if wrong := [text for text in given if not all(text.partition("=")[::2])]:
        raise click.BadParameter(f"{wrong[0]!r} is not RUN=NAME, such as runs/git-3f2a=GIT")
    return dict(text.split("=", 1) for text in given)


@click.command(name="report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@output_option("report.html")
@click.option(
    "--pictures",
    type=PicturesType(),
    default=f"200x{DEFAULT_PIXELS}",
    show_default=True,
    help="The number of pictures in the page, and their width in pixels. Captions and scores of all images "
    "are always there.",
)
@click.option(
    "--pictures-beside", is_flag=True, help="Put all pictures into a folder beside the page, OUTPUT_pictures."
)
@RANK_BY
@click.option(
    "--label",
    "names",
    multiple=True,
    metavar="RUN=NAME",
    callback=named_runs,
    help="Call a run by this name; may be repeated.",
)
@click.option(
    "--marks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Show the marks in this file, which the page exported.",
)
@VOTES
@PICTURE_FOLDERS
def report_command(
    runs: tuple[Path, ...],
    output: Path,
    pictures: tuple[int, int],
    pictures_beside: bool,
    rank_by: str | None,
    names: dict[str, str],
    marks: Path | None,
    votes: tuple[Path, ...],
    picture_folders: tuple[Path, ...],
) -> None:
    """Write one HTML page about some runs. It is self-contained unless the pictures are put beside it."""
    from evaluator.comparison.compare import compare
    from evaluator.files.hand_marks import read_marks
    from evaluator.report.page.html import write_report

    number, width = pictures
    source = output.with_name(f"{output.stem}_pictures") if pictures_beside else number
    written = write_report(
        compare(only_runs(runs), rank_by=rank_by, names=names),
        output,
        source,
        picture_folders=picture_folders,
        picture_width=width,
        marks=read_marks(marks) if marks else (),
        votes=votes or None,
    )
    echo(written)
