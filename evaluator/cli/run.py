"""`evaluator run`: caption, score, compare and report."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import ExitCode
from evaluator.cli.evaluation import evaluate_and_print
from evaluator.cli.options import CONFIG_DIR, OVERRIDES


@click.command(name="run")
@OVERRIDES
@click.option(
    "-m", "--multirun", is_flag=True, help="Run every combination of model=a,b prompt=p,q and compare."
)
@CONFIG_DIR
def run_command(overrides: tuple[str, ...], multirun: bool, config_dir: Path | None) -> ExitCode:
    """Caption and score: evaluator run model=git prompt=none data=coco ...

    OVERRIDES are Hydra's: group=choice or option=value. `evaluator list` shows the choices. The same
    command resumes a run that was interrupted.
    """
    from evaluator.config.run_config import run_configs

    configs = run_configs(overrides, config_dir, sweep=multirun or None)
    return evaluate_and_print(configs, is_sweep=multirun or len(configs) > 1)
