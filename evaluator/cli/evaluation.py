"""What `run`, `sweep` and `score` share: evaluate some runs, print what came of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import ExitCode, print_comparison
from evaluator.cli.regress import check_run

if TYPE_CHECKING:
    from evaluator.config.run_config import RunConfig
    from evaluator.core import Results


def evaluate_and_print(configs: Sequence[RunConfig], sweep: bool, as_experiment: bool = False) -> ExitCode:
    """Evaluate each run, then print and write the comparison; check each beside its baseline, if it has one.

    INCOMPLETE where captions are missing, FAILED where a gate is not met.
    """
    from evaluator.comparison import experiment
    from evaluator.comparison.compare import compare
    from evaluator.config.run_config import sweep_folder
    from evaluator.evaluate import evaluate, scored_on
    from evaluator.report.page.html import write_report
    from evaluator.report.text.comparison import FORMATS

    results: list[Results] = []
    for number, config in enumerate(configs, 1):
        logging.getLogger(__name__).info("run %d of %d: %s", number, len(configs), config.folder)
        results.append(evaluate(config))
    comparison = compare([config.folder for config in configs], rescored=scored_on)
    folder = sweep_folder(configs) if sweep else configs[0].folder
    print_comparison(comparison)
    if sweep:
        folder.mkdir(parents=True, exist_ok=True)
        for form, suffix in (("markdown", "md"), ("csv", "csv"), ("json", "json")):
            (folder / f"comparison.{suffix}").write_text(FORMATS[form](comparison), encoding="utf-8")
    if as_experiment:
        effects = experiment.markdown(comparison)
        (folder / "experiment.md").write_text(effects, encoding="utf-8")
        click.echo(effects)
    click.echo(f"report: {write_report(comparison, folder / 'report.html')}")
    codes = [
        check_run([config.settings.baseline], config.folder, config.settings.gates)
        for config in configs
        if config.settings.baseline
    ]
    if any(result.is_incomplete for result in results):
        click.echo("some captions are missing: the same command tries them again", err=True)
        return ExitCode.INCOMPLETE
    return ExitCode.FAILED if any(codes) else ExitCode.OK
