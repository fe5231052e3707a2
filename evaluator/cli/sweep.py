"""`evaluator sweep`: every combination, read as an experiment."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import ExitCode
from evaluator.cli.evaluation import evaluate_and_print
from evaluator.cli.options import CONFIG_DIR, OVERRIDES


@click.command(name="sweep")
@OVERRIDES
@CONFIG_DIR
def sweep_command(overrides: tuple[str, ...], config_dir: Path | None) -> ExitCode:
    """Run every combination, and read it as an experiment: evaluator sweep model=a,b prompt=p,q

    As `evaluator run -m`, and then: what each model and each prompt is worth on average, and under how many
    of the others one beats another.
    """
    from evaluator.config.run_config import run_configs

    return evaluate_and_print(run_configs(overrides, config_dir, sweep=True), sweep=True, as_experiment=True)
