"""The command line: the commands, their exit codes, and how an error is shown."""

from __future__ import annotations

import gc
import io
import logging
import os
import sys
import traceback
from contextlib import suppress
from typing import Any

import click

from evaluator.cli.arena import arena_command
from evaluator.cli.baseline import baseline_command
from evaluator.cli.cache import cache_command
from evaluator.cli.caption import caption_command
from evaluator.cli.compare import compare_command
from evaluator.cli.console import ExitCode, PrintableFormatter, echo, printable_console
from evaluator.cli.data import data_command
from evaluator.cli.doctor import doctor_command
from evaluator.cli.filter import filter_command
from evaluator.cli.help import CommandsByJob
from evaluator.cli.idf import idf_command
from evaluator.cli.judge_check import judge_check_command
from evaluator.cli.leaderboard import leaderboard_command
from evaluator.cli.list import list_command
from evaluator.cli.merge import merge_command
from evaluator.cli.plan import plan_command
from evaluator.cli.regress import regress_command
from evaluator.cli.report import report_command
from evaluator.cli.run import run_command
from evaluator.cli.runs import runs_command
from evaluator.cli.score import score_command
from evaluator.cli.sweep import sweep_command
from evaluator.cli.trust import trust_command
from evaluator.cli.try_models import try_command
from evaluator.cli.verify_metrics import verify_metrics_command
from evaluator.cli.view import view_command
from evaluator.runner.interrupts import end_like_ctrl_c
from evaluator.version import __version__

COMMANDS = (
    *(run_command, score_command, compare_command, report_command, leaderboard_command),
    *(runs_command, plan_command, caption_command, regress_command, baseline_command, sweep_command),
    *(list_command, filter_command, idf_command, cache_command, doctor_command, verify_metrics_command),
    *(trust_command, judge_check_command, data_command, arena_command),
    *(view_command, try_command, merge_command),
)

INTERRUPTED = "Interrupted. All captions so far are saved; run the same command again to continue."


def main() -> None:
    """Run the command and exit with its code. An error of ours is shown without a traceback."""
    # Captions and references are a million small objects without cycles: looking for cycles after every
    # 700 new ones takes a quarter of the time.
    gc.set_threshold(100_000)
    end_like_ctrl_c()
    sys.exit(exit_code())


def exit_code() -> int:
    from evaluator.core.errors import EvaluatorError

    try:
        return int(cli.main(standalone_mode=False) or ExitCode.OK)
    except click.ClickException as error:
        shown = io.StringIO()
        (without_dashes(error) or error).show(shown)
        show(shown.getvalue(), nl=False)
        return ExitCode.MISTAKE
    except EvaluatorError as error:
        show_error(error)
        return ExitCode.MISTAKE
    except (KeyboardInterrupt, click.Abort):
        show(INTERRUPTED)
        return ExitCode.INCOMPLETE
    except BrokenPipeError:  # the program that read the output, such as head, has ended
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.FAULT
    except OSError as error:
        show_error(f"{error.filename or 'the system'}: {error.strerror or error}")
        return ExitCode.FAULT
    except Exception:  # without this, Python would exit with 1, the code of a failed gate
        show(traceback.format_exc())
        return ExitCode.FAULT


def without_dashes(error: click.ClickException) -> click.UsageError | None:
    """What to type in place of `--model git`, as other programs have it; None for any other mistake."""
    if not isinstance(error, click.NoSuchOption) or not error.ctx:
        return None
    from evaluator.config.compose import choice_file, choices
    from evaluator.config.described import described

    name = error.option_name.lstrip("-").replace("-", "_")
    of_every_run = {option.name for option in described(choice_file("", "config")).options}
    if name not in of_every_run | choices().keys() or "OVERRIDES" not in error.ctx.get_usage():
        return None
    return click.UsageError(f"{error.message} Options of a run have no dashes: {name}=...", error.ctx)


def show_error(message: object) -> None:
    show("error: ", fg="red", bold=True, nl=False)
    show(message)


def show(message: object, **style: Any) -> None:
    """A message on stderr; nothing where the terminal is closed, which changes no exit code."""
    with suppress(OSError):
        echo(message, err=True, **style)


@click.group(cls=CommandsByJob, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="evaluator")
def cli() -> None:
    """Caption images, score the captions, compare the systems.

    `evaluator COMMAND --help` explains a command.
    """
    start_logging()


for command in COMMANDS:
    cli.add_command(command)


def start_logging() -> None:
    """Show this program's messages on stderr: in colour on a terminal, elsewhere one plain line each."""
    from rich.logging import RichHandler

    console = printable_console(stderr=True)
    handler = (
        RichHandler(console=console, show_path=False, show_time=False, markup=False)
        if console.is_terminal
        else logging.StreamHandler()
    )
    handler.setFormatter(PrintableFormatter("%(message)s"))
    root = logging.getLogger("evaluator")
    root.handlers = [handler]
    root.setLevel(logging.INFO)
