"""`evaluator sweep`: run every combination and read it as an experiment."""

from __future__ import annotations

import click

from evaluator.cli.console import ExitCode
from evaluator.cli.evaluation import evaluate_and_print
from evaluator.cli.options import OVERRIDES, WIDE_TABLE, RunOptions, run_options


@click.command(name="sweep")
@OVERRIDES
@WIDE_TABLE
@run_options
def sweep_command(overrides: tuple[str, ...], options: RunOptions) -> ExitCode:
    """Run every combination of models, prompts and options, and read it as an experiment.

    evaluator sweep model=git,blip prompt=none,photo

    Like `evaluator run -m`. It also shows how much each model and each prompt adds on average, and under how
    many of the other choices one beats another.
    """
    configs = options.configs(overrides, sweep=True)
    return evaluate_and_print(configs, is_sweep=True, as_experiment=True)
