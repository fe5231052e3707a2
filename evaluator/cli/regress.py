"""`evaluator regress`: a candidate run beside a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from evaluator.cli.console import ExitCode, table_console, warn


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
@click.option("--strict", is_flag=True, help="What is inconclusive fails too.")
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write JUnit XML there.")
@click.option("--markdown", type=click.Path(dir_okay=False, path_type=Path), help="Write Markdown there.")
@click.option(
    "--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write JSON there."
)
@click.option("--resamples", type=click.IntRange(min=1), default=1000, show_default=True)
def regress_command(
    runs: tuple[Path, ...],
    gates: tuple[str, ...],
    gates_file: Path | None,
    strict: bool,
    junit: Path | None,
    markdown: Path | None,
    json_file: Path | None,
    resamples: int,
) -> ExitCode:
    """Check a candidate run beside a baseline; of several baselines, the best.

    BASELINE is a run folder or a file made by `evaluator baseline`. Exits with 0 where every gate is met, 1
    where one is not, 3 where captions are missing that another run could get.
    """
    if len(runs) < 2:
        raise click.UsageError("type a baseline and a candidate: evaluator regress runs/before runs/after")
    typed = [*gates, *(read_gates(gates_file) if gates_file else ())]
    *baselines, candidate = runs
    return check_run(baselines, candidate, typed, strict, (junit, markdown, json_file), resamples)


def check_run(
    baselines: Sequence[Path],
    candidate: Path,
    gates: Sequence[str],
    strict: bool = False,
    files: tuple[Path | None, Path | None, Path | None] = (None, None, None),
    resamples: int = 1000,
) -> ExitCode:
    """Check, print and write."""
    from evaluator.comparison.gate import DEFAULT_GATES, Verdict, best_of, parsed, regress
    from evaluator.comparison.pairs import Resampling
    from evaluator.evaluate import scored_on
    from evaluator.report.text.gate import as_json, junit, markdown, terminal

    understood = [parsed(gate) for gate in gates or DEFAULT_GATES]
    baseline = best_of(baselines, scored_on)
    found = regress(baseline, candidate, understood, Resampling(resamples=resamples), scored_on)
    table_console().print(terminal(found))
    warn(found.comparison.warnings)
    for path, write in zip(files, (junit, markdown, as_json), strict=True):
        if path:
            path.write_text(write(found), encoding="utf-8")
    if found.is_incomplete:
        click.echo("some captions are missing: the command that made the run tries them again", err=True)
        return ExitCode.INCOMPLETE
    passes = found.verdict is Verdict.HOLDS or (found.verdict is Verdict.INCONCLUSIVE and not strict)
    return ExitCode.OK if passes else ExitCode.FAILED


def read_gates(path: Path) -> list[str]:
    """A list of gates in YAML. Raises ConfigError for anything else."""
    import yaml

    from evaluator.core.errors import ConfigError

    try:
        gates = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    if not isinstance(gates, list) or not all(isinstance(gate, str) for gate in gates):
        raise ConfigError(f"{path} is not a list of gates. Write one a line: - 'CIDEr>=-1.0'")
    return gates
