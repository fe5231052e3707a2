"""What the commands share: exit codes, and how a comparison is printed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from evaluator.comparison.compare import Comparison


class ExitCode(IntEnum):
    """How a command ended. A command returns one of these; `main` alone exits."""

    OK = 0
    FAILED = 1  # a check or gate did not hold
    MISTAKE = 2  # of the caller
    INCOMPLETE = 3  # captions are missing that the same command can still get


def print_comparison(comparison: Comparison) -> None:
    from evaluator.report.text.comparison import reasons, terminal, terminal_differences, terminal_style

    console = table_console()
    console.print(terminal(comparison))
    if (differences := terminal_differences(comparison)) is not None:
        console.print(differences)
    if any(row.results.style for row in comparison.rows):
        console.print(terminal_style(comparison))
    for reason in reasons(comparison):
        click.echo(reason)
    warn(comparison.warnings)


def table_console(width: int = 200) -> Console:
    """For tables: as wide as the terminal, or `width`, since a log cut to 80 columns would hide numbers."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=width)


def warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
