"""The command line: the commands, their exit codes, and how an error is shown."""

from __future__ import annotations

import gc
import logging
import sys
from contextlib import suppress

import click

from evaluator.cli.baseline import baseline_command
from evaluator.cli.cache import cache_command
from evaluator.cli.caption import caption_command
from evaluator.cli.compare import compare_command
from evaluator.cli.console import ExitCode
from evaluator.cli.doctor import doctor_command
from evaluator.cli.idf import idf_command
from evaluator.cli.leaderboard import leaderboard_command
from evaluator.cli.list import list_command
from evaluator.cli.plan import plan_command
from evaluator.cli.regress import regress_command
from evaluator.cli.report import report_command
from evaluator.cli.run import run_command
from evaluator.cli.score import score_command
from evaluator.cli.sweep import sweep_command
from evaluator.cli.verify_metrics import verify_metrics_command
from evaluator.runner.interrupts import end_like_ctrl_c
from evaluator.version import __version__

COMMANDS = (
    *(run_command, score_command, compare_command, report_command, leaderboard_command),
    *(plan_command, caption_command, regress_command, baseline_command, sweep_command),
    *(list_command, idf_command, cache_command, doctor_command, verify_metrics_command),
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
        error.show()
        return ExitCode.MISTAKE
    except EvaluatorError as error:
        click.secho("error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(error, err=True)
        return ExitCode.MISTAKE
    except (KeyboardInterrupt, click.Abort):
        with suppress(OSError):  # the terminal may be closed
            click.echo(INTERRUPTED, err=True)
        return ExitCode.INCOMPLETE


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="evaluator")
def cli() -> None:
    """Caption images, score the captions, compare the systems."""
    start_logging()


for command in COMMANDS:
    cli.add_command(command)


def start_logging() -> None:
    """Show this program's messages on stderr: in colour on a terminal, elsewhere one plain line each."""
    from rich.console import Console
    from rich.logging import RichHandler

    console = Console(stderr=True)
    handler = (
        RichHandler(console=console, show_path=False, show_time=False, markup=False)
        if console.is_terminal
        else logging.StreamHandler()
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger("evaluator")
    root.handlers = [handler]
    root.setLevel(logging.INFO)
