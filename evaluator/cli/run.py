"""`evaluator run`: caption, score, compare and report."""

from __future__ import annotations

import click

from evaluator.cli.console import ExitCode
from evaluator.cli.evaluation import evaluate_and_print
from evaluator.cli.options import OVERRIDES, WIDE_TABLE, RunOptions, run_options


@click.command(name="run")
@OVERRIDES
@click.option(
    "-m", "--multirun", is_flag=True, help="Run every combination of model=a,b prompt=p,q and compare."
)
@WIDE_TABLE
@run_options
def run_command(overrides: tuple[str, ...], multirun: bool, options: RunOptions) -> ExitCode:
    """Caption images, score the captions, compare the runs, write a report.

    evaluator run model=git data=coco data.images=val2017 data.annotations=captions_val2017.json

    OVERRIDES are Hydra's: group=choice or option=value. `evaluator list` shows the choices. The same
    command resumes a run that was interrupted.
    """
    configs = options.configs(overrides, sweep=multirun or None)
    return evaluate_and_print(configs, is_sweep=multirun or len(configs) > 1)
