"""Arguments that several commands take."""

from __future__ import annotations

import sys
from pathlib import Path

import click


def importable(context: click.Context, parameter: click.Parameter, config_dir: Path | None) -> Path | None:
    """Let YAML files in --config-dir name classes of modules in the working folder."""
    if config_dir and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    return config_dir


OVERRIDES = click.argument("overrides", nargs=-1)
CONFIG_DIR = click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    callback=importable,
    help="A folder with your own YAML files in model/, prompt/, data/ or scorer/.",
)
