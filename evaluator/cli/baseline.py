"""`evaluator baseline`: keep a run as one small file."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import echo
from evaluator.cli.options import output_option


@click.command(name="baseline")
@click.argument("run", type=click.Path(path_type=Path))
@output_option("baseline.zip")
def baseline_command(run: Path, output: Path) -> None:
    """Keep a run as one small file without pictures, to commit and to compare with later.

    The file holds captions, references, signatures and each image's statistics. `compare`, `report` and
    `regress` take it in place of a run folder.
    """
    from evaluator.files.output_files import make_folder_of
    from evaluator.store.run_folder import RunFolder

    folder = RunFolder.existing(run)
    make_folder_of(output)
    folder.export(output)
    echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")
