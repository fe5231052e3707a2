"""`evaluator compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import echo, print_comparison, print_document, print_table, warn
from evaluator.cli.options import RANK_BY, WIDE_TABLE, format_option, resamples_option
from evaluator.cli.run_folders import only_runs

if TYPE_CHECKING:
    from evaluator.comparison.bootstrap import Method
    from evaluator.comparison.comparison import Comparison


@click.command(name="compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@format_option("table", "markdown", "latex", "csv", "json")
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    help="Show differences from this run; the first by default.",
)
@click.option(
    "--on",
    type=click.Choice(["both", "all"]),
    default="both",
    show_default=True,
    help="Score the images that every run captioned, or all images that each run captioned.",
)
@resamples_option()
@click.option(
    "--interval",
    "method",
    type=click.Choice(["percentile", "bca"]),
    default="percentile",
    show_default=True,
    help="The kind of bootstrap interval.",
)
@click.option(
    "--by-tag",
    is_flag=True,
    help="Show only the metric that decides, for the images of each tag: domains, objects, folders.",
)
@RANK_BY
@WIDE_TABLE
def compare_command(
    runs: tuple[Path, ...],
    form: str,
    baseline: Path | None,
    on: str,
    resamples: int,
    method: Method,
    by_tag: bool,
    rank_by: str | None,
) -> None:
    """Print runs side by side: scores, differences to a baseline, paired tests, ranks."""
    from evaluator.comparison.compare import compare
    from evaluator.comparison.disagreements import disagreements
    from evaluator.comparison.pairs import Resampling
    from evaluator.report.disagreements import disagreement_notes
    from evaluator.report.text.comparison import FORMATS

    resampling = Resampling(resamples=resamples, method=method)
    comparison = compare(only_runs(runs), baseline, on == "all", resampling, rank_by)
    if by_tag:
        print_by_tag(comparison.best_first, form)
    elif form == "table":
        print_comparison(comparison)
        for note in disagreement_notes(disagreements(comparison)):
            echo(note)
    else:
        print_document(FORMATS[form](comparison))
        warn(comparison.warnings)


def print_by_tag(comparison: Comparison, form: str) -> None:
    """Print the scores of each tag. Raises UsageError where no two tags have a score."""
    from evaluator.comparison.by_tag import FEWEST_IMAGES, breakdown
    from evaluator.report.text.by_tag import FORMATS, tag_table

    tags = breakdown(comparison)
    if not tags:
        raise click.UsageError(
            f"--by-tag: there are no two tags, one of them of {FEWEST_IMAGES} images. Tags are the domains "
            "of NoCaps, objects by data.instances=FILE, columns by data.tags=[NAME] of data=hub, and folders "
            "by data.tags=folders of data=folder"
        )
    if form == "table":
        print_table(tag_table(comparison, tags))
    else:
        print_document(FORMATS[form](comparison, tags))
    warn(comparison.warnings)
