"""`evaluator merge`: parts of one run become one run."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import ExitCode, echo, warn
from evaluator.cli.options import CONFIG_DIR, WIDE_TABLE
from evaluator.cli.run_folders import only_runs
from evaluator.cli.score import rescore


@click.command(name="merge")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The run folder to write. Default: beside the first part, under the name of the whole run.",
)
@WIDE_TABLE
@CONFIG_DIR
def merge_command(runs: tuple[Path, ...], output: Path | None, config_dir: Path | None) -> ExitCode:
    """Make one run of its parts, which `shard=1/16` to `shard=16/16` made on any machines, and score it.

    evaluator merge runs/coco-git-none-shard*

    The parts must be of the same data, model and prompt, and share no image. They are kept.
    """
    from evaluator.store.merge import merge, parts_of
    from evaluator.store.run_folder import RunFolder

    paths = only_runs(runs)
    parts = parts_of([RunFolder.existing(path).load() for path in paths])
    if parts.missing:
        warn([f"shards that are not among these runs: {', '.join(parts.missing)}"])
    run = merge(parts, RunFolder(output or paths[0].parent / parts.name))
    echo(f"{run.path}: {len(run.items):,} images of {len(parts.runs):,} parts")
    rescore([run.path], [], config_dir)
    is_incomplete = bool(parts.missing) or len(run.captions_of_items) < len(run.items)
    return ExitCode.of(is_incomplete)
