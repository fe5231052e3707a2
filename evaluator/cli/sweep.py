"""`evaluator sweep`: run every combination and read it as an experiment."""

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
    """Run every combination and read it as an experiment: evaluator sweep model=a,b prompt=p,q

    Like `evaluator run -m`. It also shows how much each model and each prompt adds on average, and under how
    many of the other choices one beats another.
    """
    from evaluator.config.run_config import run_configs

    configs = run_configs(overrides, config_dir, sweep=True)
    return evaluate_and_print(configs, is_sweep=True, as_experiment=True)
