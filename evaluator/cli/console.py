"""What the commands share: their exit codes, and the one way to the terminal.

Everything that is printed passes `printable`: names, captions and messages may come from a model, a server or
somebody else's run folder, and a terminal obeys escape sequences.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

import click

from evaluator.core.printable import printable

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from evaluator.comparison.comparison import Comparison
    from evaluator.comparison.gate import Regression


class ExitCode(IntEnum):
    """How a command ended. A command returns one of these, and `main` alone exits with it."""

    OK = 0
    FAILED = 1  # a check or a gate failed
    MISTAKE = 2  # the command was typed wrongly, or a file or option is wrong
    INCOMPLETE = 3  # captions are missing that the same command can still get
    FAULT = 4  # an error of this program, or of the machine, that no command foresees

    @classmethod
    def of(cls, is_incomplete: bool, passes: Iterable[bool] = ()) -> ExitCode:
        """Of a command that evaluates or checks runs; missing captions come first."""
        if is_incomplete:
            return cls.INCOMPLETE
        return cls.OK if all(passes) else cls.FAILED


def print_comparison(comparison: Comparison) -> None:
    from evaluator.report.leaderboard import (
        cut_off_notes,
        fewer_images_notes,
        lead_notes,
        missing_score_notes,
    )
    from evaluator.report.summary import summarize_ranking
    from evaluator.report.text.comparison import terminal

    print_table(terminal(comparison))
    if len(comparison.rows) > 1:
        echo(summarize_ranking(comparison).headline, bold=True)
    for notes in (lead_notes, missing_score_notes, fewer_images_notes, cut_off_notes):
        for note in notes(comparison):
            echo(note)
    warn(comparison.warnings)


def print_regression(regression: Regression) -> None:
    from evaluator.report.leaderboard import lead_notes
    from evaluator.report.text.gate import terminal

    print_table(terminal(regression))
    for note in lead_notes(regression.comparison):
        echo(note)
    warn(regression.comparison.warnings)


def print_table(table: RenderableType, width: int = 200) -> None:
    """As wide as the terminal; `width` elsewhere, since a log needs no lines that fit a screen.

    With --wide, as wide as the table is.
    """
    context = click.get_current_context(silent=True)
    if context and context.meta.get(WIDE):
        console = printable_console(width=10_000)
    else:
        console = printable_console() if sys.stdout.isatty() else printable_console(width=width)
    console.print(table)


WIDE = f"{__name__}.wide"  # the key in click's context that says whether --wide was typed


def printable_console(**options: Any) -> Console:
    """A console of rich to which all text is printable; colours and lines are rich's own."""
    from rich.console import Console, ConsoleOptions
    from rich.segment import Segment

    class PrintableConsole(Console):
        def render(
            self, renderable: RenderableType, options: ConsoleOptions | None = None
        ) -> Iterable[Segment]:
            for segment in super().render(renderable, options):
                yield segment if segment.control else segment._replace(text=printable(segment.text))

    return PrintableConsole(**options)


class PrintableFormatter(logging.Formatter):
    """Messages of the log, whatever they quote."""

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))


def echo(text: object, err: bool = False, nl: bool = True, **style: Any) -> None:
    """A line for people; `style` is click's."""
    shown = printable(str(text))
    click.echo(click.style(shown, **style) if style else shown, err=err, nl=nl)


def print_document(text: str) -> None:
    """A document in one of the formats: as it is into a file or a program, printable on a terminal."""
    shown = printable(text) if sys.stdout.isatty() else text
    click.echo(shown.encode("utf-8", "replace"), nl=False)


def warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        echo(f"warning: {warning}", err=True, fg="yellow")
