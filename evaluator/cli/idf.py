"""`evaluator idf`: keep the document frequencies of a data set."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import echo


@click.command(name="idf")
@click.argument("references", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--split", default="test", show_default=True, help="The split, in a file that holds several.")
@click.option(
    "--name", help="The name in signatures and for scorer.cider.idf=NAME; default: the file's name."
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the table to this file, NAME.json.gz; default: into the cache folder.",
)
def idf_command(references: Path, split: str, name: str | None, output: Path | None) -> None:
    """Keep the document frequencies of a data set, so that CIDEr of a part equals that within the whole.

    REFERENCES is a COCO captions file or Karpathy's dataset_coco.json.
    """
    from evaluator.config.secret_options import refuse_secrets
    from evaluator.data.karpathy import Karpathy
    from evaluator.files.output_files import make_folder_of
    from evaluator.scorers.idf import SUFFIX, make_table, table_path, write_table

    refuse_secrets([name or "", str(output or "")])  # signatures, and with them run files, name the table
    items = Karpathy(images=None, annotations=references, split=split).load()
    name = name or (output.name.removesuffix(SUFFIX) if output else references.stem)
    if Path(name).name != name:
        raise click.UsageError(
            f"--name {name!r} contains a folder: type --output to choose where it is written"
        )
    table = make_table(tuple(item.references for item in items if item.references), name)
    path = output or table_path(name)
    make_folder_of(path)
    write_table(table, path)
    size = path.stat().st_size / 1e6
    echo(f"{path}: {table.images:,} images, {table.ngrams:,} n-grams shared by images, {size:.1f} MB")
    echo(f"type scorer.cider.idf={output or name}; signatures say idf:{table.label}")
