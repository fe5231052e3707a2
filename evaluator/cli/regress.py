"""`evaluator regress`: check a candidate run against a baseline."""

from __future__ import annotations

from pathlib import Path

import click

from evaluator.cli.console import ExitCode, echo, print_regression
from evaluator.cli.options import WIDE_TABLE, resamples_option


@click.command(name="regress")
@click.argument(
    "runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="BASELINE... CANDIDATE"
)
@click.option("--gate", "gates", multiple=True, help="Such as 'CIDEr>=-1.0'; may be repeated.")
@click.option(
    "--gates",
    "gates_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A YAML file with a list of gates.",
)
@click.option("--strict", is_flag=True, help="An inconclusive gate fails.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML to this file."
)
@click.option(
    "--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write Markdown to this file."
)
@click.option("--json", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON to this file.")
@resamples_option()
@WIDE_TABLE
def regress_command(
    runs: tuple[Path, ...],
    gates: tuple[str, ...],
    gates_file: Path | None,
    strict: bool,
    resamples: int,
    **files: Path | None,
) -> ExitCode:
    """Check a candidate run against a baseline; of several baselines, against the best.

    BASELINE is a run folder or a file made by `evaluator baseline`. The exit code is 0 where every gate is
    met, 1 where one is not, 3 where captions are missing that another run could get.
    """
    from evaluator.comparison.gate import DEFAULT_GATES, best_of, parse_gate, read_gates, regress
    from evaluator.comparison.pairs import Resampling
    from evaluator.files.output_files import write_output
    from evaluator.report.text.failures import failure_lines
    from evaluator.report.text.gate import as_json, junit, markdown

    if len(runs) < 2:
        raise click.UsageError("type a baseline and a candidate: evaluator regress runs/before runs/after")
    *baselines, candidate = runs
    typed = [*gates, *(read_gates(gates_file) if gates_file else ())] or DEFAULT_GATES
    parsed = list(map(parse_gate, typed))
    baseline = best_of(baselines, parsed)
    regression = regress(baseline, candidate, parsed, Resampling(resamples=resamples))
    print_regression(regression)
    writers = {"junit": junit, "markdown": markdown, "json": as_json}
    for form, path in files.items():
        if path:
            write_output(path, writers[form](regression))
    for line in failure_lines(regression.comparison):
        echo(line, err=True)
    return ExitCode.of(regression.is_incomplete, [regression.passes(strict)])
