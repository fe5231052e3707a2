"""What the commands share: their exit codes, and how comparisons and checks are printed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.console import Console

    from evaluator.comparison.comparison import Comparison
    from evaluator.comparison.gate import Regression


class ExitCode(IntEnum):
    """How a command ended. A command returns one of these, and `main` alone exits with it."""

    OK = 0
    FAILED = 1  # a check or a gate failed
    MISTAKE = 2  # the command was typed wrongly, or a file or option is wrong
    INCOMPLETE = 3  # captions are missing that the same command can still get

    @classmethod
    def of(cls, is_incomplete: bool, passes: Iterable[bool] = ()) -> ExitCode:
        """Of a command that evaluates or checks runs; missing captions come first."""
        if is_incomplete:
            return cls.INCOMPLETE
        return cls.OK if all(passes) else cls.FAILED


def print_comparison(comparison: Comparison) -> None:
    from evaluator.report.text.comparison import reasons, terminal

    table_console().print(terminal(comparison))
    for reason in reasons(comparison):
        click.echo(reason)
    warn(comparison.warnings)


def print_regression(regression: Regression) -> None:
    from evaluator.report.text.gate import terminal

    table_console().print(terminal(regression))
    warn(regression.comparison.warnings)


def table_console(width: int = 200) -> Console:
    """For tables: as wide as the terminal, or `width`, since a log cut to 80 columns would hide numbers."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=width)


def warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
