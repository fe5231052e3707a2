"""`evaluator list`: what can be chosen."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.options import CONFIG_DIR


@click.command(name="list")
@click.argument("group", required=False)
@CONFIG_DIR
def list_command(group: str | None, config_dir: Path | None) -> None:
    """Show what can be chosen: models, prompts, data, scorers, runners, experiments."""
    from evaluator.config.compose import choices

    found = choices(config_dir)
    if group and group.rstrip("s") not in found:
        raise click.UsageError(f"there is no group {group!r}. It is one of {', '.join(found)}")
    for name, described in found.items():
        if group is None or group.rstrip("s") == name:
            click.secho(name, bold=True)
            width = max(map(len, described))
            for choice, description in described.items():
                click.echo(f"  {choice:{width}}  {description}")
