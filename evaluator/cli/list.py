"""`evaluator list`: what can be chosen, and the options of one choice."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import echo
from evaluator.cli.options import CONFIG_DIR

if TYPE_CHECKING:
    from evaluator.config.described import Option

# Stands beside the groups: the options of every run.
EVERY_RUN = "options"


@click.command(name="list")
@click.argument("what", required=False, metavar="[GROUP | GROUP/CHOICE]")
@CONFIG_DIR
def list_command(what: str | None, config_dir: Path | None) -> None:
    """List the choices of models, prompts, data sets, scorers; or the options of one of them.

    evaluator list            every choice

    evaluator list models     the choices of one group

    evaluator list model/git  the options of a choice: default, type and meaning

    evaluator list options    the options of every run, such as limit and budget_usd
    """
    from evaluator.config.compose import choice_file, choices
    from evaluator.config.described import described
    from evaluator.core.spelling import did_you_mean

    groups = choices(config_dir)
    group, _, choice = (what or "").partition("/")
    group = group if group in groups or group == EVERY_RUN else group.removesuffix("s")
    if group and group not in (*groups, EVERY_RUN):
        holders = [f"{name}/{group}" for name, names in groups.items() if group in names]
        meant = f" Did you mean {holders[0]!r}?" if holders else did_you_mean(group, groups)
        raise click.UsageError(f"there is no group {what!r}.{meant} The groups are {', '.join(groups)}")
    if choice and choice not in groups.get(group, ()):
        meant = did_you_mean(choice, groups.get(group, ()))
        raise click.UsageError(f"{group}: there is no {choice!r}.{meant} `evaluator list {group}` shows all")
    if choice or group == EVERY_RUN:
        found = described(choice_file(group, choice, config_dir) if choice else choice_file("", "config"))
        echo(found.description)
        for option in found.options:
            print_option(option)
        return
    for name in [group] if group else groups:
        print_group(name, groups[name])


def print_group(name: str, descriptions: Mapping[str, str]) -> None:
    echo(name, bold=True)
    width = max(map(len, descriptions))
    for choice, description in descriptions.items():
        print_wrapped(description, f"  {choice:{width}}  ", " " * (width + 4))


def print_option(option: Option) -> None:
    """What to type on one line, and below it what that means."""
    needed = option.default == "???"
    value = "..." if needed else option.default
    echo("")
    typed, kind = f"{option.name}={value}", f"({option.type}{'; needed' if needed else ''})"
    echo(typed, bold=True, nl=False)
    if sys.stdout.isatty() and len(typed) + len(kind) + 2 > shutil.get_terminal_size().columns:
        echo("")
        print_wrapped(kind, "    ", "    ")
    else:
        echo(f"  {kind}")
    print_wrapped(option.meaning, "    ", "    ")


def print_wrapped(text: str, first: str, others: str) -> None:
    """Within the terminal's width; elsewhere on one line, which programs can search."""
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns
        text = textwrap.fill(
            text, width, initial_indent=first, subsequent_indent=others, break_on_hyphens=False
        )
        echo(text)
    else:
        echo(first + text)
