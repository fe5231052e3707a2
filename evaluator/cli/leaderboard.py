"""The command that makes leaderboards: a table to paste, or a folder that grows into a static site."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from evaluator.cli.console import echo, print_document, print_table, warn
from evaluator.cli.options import PICTURE_FOLDERS, RANK_BY, VOTES, WIDE_TABLE
from evaluator.cli.run_folders import only_runs


@click.command(name="leaderboard")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "markdown", "latex", "csv", "json", "html"]),
    help="The default is a table in a terminal, and Markdown into a file.",
)
@RANK_BY
@WIDE_TABLE
@click.option(
    "--published", "with_published", is_flag=True, help="Add rows with published scores, marked as such."
)
@click.option(
    "--human",
    "with_human",
    is_flag=True,
    help="Add a person's row: each image's first reference scored against its others.",
)
@click.option(
    "--site",
    type=click.Path(file_okay=False, path_type=Path),
    help="Add the runs to this site folder: index.html, and one page per run.",
)
@VOTES
@PICTURE_FOLDERS
def leaderboard_command(
    runs: tuple[Path, ...],
    form: str | None,
    rank_by: str | None,
    with_published: bool,
    with_human: bool,
    site: Path | None,
    votes: tuple[Path, ...],
    picture_folders: tuple[Path, ...],
) -> None:
    """Rank runs in a table to paste, or keep a leaderboard site for any web host.

    A site keeps each run's captions and statistics, and pictures of a few images: adding another run needs
    neither the folders nor the pictures of earlier runs. Its site.yaml names the site and describes the runs.
    """
    from evaluator.arena.voted import voted_on
    from evaluator.comparison.compare import compare
    from evaluator.comparison.remeasure import human_baseline
    from evaluator.report.site import add_to_site
    from evaluator.report.text.external import human_result, published_results
    from evaluator.report.text.leaderboard import FORMATS, about, leaderboard_table

    if site:
        if form or rank_by:
            raise click.UsageError("--site writes pages: leave out --format and --rank-by")
        echo(add_to_site(only_runs(runs), site, picture_folders, with_published, with_human, votes or None))
        return
    if not runs:
        raise click.UsageError("type the runs to rank, or --site FOLDER")
    form = form or ("table" if sys.stdout.isatty() else "markdown")
    comparison = compare(only_runs(runs), rank_by=rank_by)
    voted = voted_on(comparison, votes or None)
    person = []
    if with_human:
        if not comparison.pairs.ids:
            raise click.UsageError("--human needs runs over the same images")
        scores, _, images = human_baseline(comparison.base_row.run, comparison.pairs.ids, comparison.computed)
        person = [human_result(scores, images)]
    covered = {row.whole_dataset for row in comparison.rows}
    published = [row for row in published_results() if row.data in covered] if with_published else []
    if with_published and not published:
        names = dict.fromkeys(f"{row.data_name} ({row.results.images:,} images)" for row in comparison.rows)
        warn(
            [
                "no published scores are shown: they are over all 5,000 images of COCO's Karpathy test "
                f"split, and these runs are over {' and '.join(names)}"
            ]
        )
    external = [*person, *published]
    if form == "table":
        print_table(leaderboard_table(comparison, external, voted))
        for line in about(comparison, voted):
            echo(line)
    else:
        print_document(FORMATS[form](comparison, external, voted))
    warn([*comparison.warnings, *voted.warnings])
