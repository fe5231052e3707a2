"""`evaluator list`: what can be chosen."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import echo
from evaluator.cli.options import CONFIG_DIR


@click.command(name="list")
@click.argument("group", required=False)
@CONFIG_DIR
def list_command(group: str | None, config_dir: Path | None) -> None:
    """List the choices: models, prompts, data sets, scorers, runners, experiments."""
    from evaluator.config.compose import choices

    groups = choices(config_dir)
    if group and group.rstrip("s") not in groups:
        raise click.UsageError(f"there is no group {group!r}. The groups are {', '.join(groups)}")
    for name, described in groups.items():
        if group is None or group.rstrip("s") == name:
            echo(name, bold=True)
            formatter = click.HelpFormatter()  # wraps at the width of the terminal
            with formatter.indentation():
                formatter.write_dl(list(described.items()))
            echo(formatter.getvalue(), nl=False)
