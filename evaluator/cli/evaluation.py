"""What `run`, `sweep` and `score` share: evaluate some runs and print the results."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evaluator.cli.console import ExitCode, echo, print_comparison, print_regression, print_table

if TYPE_CHECKING:
    from evaluator.config.run_config import RunConfig
    from evaluator.evaluate import Evaluation


def evaluate_and_print(configs: Sequence[RunConfig], is_sweep: bool, as_experiment: bool = False) -> ExitCode:
    """Evaluate each run, print the comparison, and check each run that has a baseline."""
    from evaluator.evaluate import evaluate_all

    return print_evaluation(evaluate_all(configs, is_sweep), as_experiment)


def print_evaluation(evaluation: Evaluation, as_experiment: bool = False) -> ExitCode:
    """Print the comparison, the report's place and what failed."""
    from evaluator.report.text.experiment import terminal
    from evaluator.report.text.failures import failure_lines
    from evaluator.report.text.robustness import robustness_table

    print_comparison(evaluation.comparison)
    if as_experiment:
        print_table(terminal(evaluation.comparison))
    if table := robustness_table(evaluation.comparison):
        print_table(table)
    echo(f"report: {evaluation.report}")
    for regression in evaluation.regressions:
        print_regression(regression)
    for line in failure_lines(evaluation.comparison):
        echo(line, err=True)
    for failure in evaluation.failures:
        echo(f"failed: {failure.folder}: {failure.error}", err=True)
    if evaluation.failures:
        return ExitCode.MISTAKE
    passes = [regression.passes() for regression in evaluation.regressions]
    return ExitCode.of(evaluation.is_incomplete, passes)
