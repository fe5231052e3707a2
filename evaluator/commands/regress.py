"""The commands around the regression gate: check a candidate, keep a baseline, sweep as an experiment."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import click

from evaluator.commands.options import CONFIG_DIR, OVERRIDES

FAILED, MISTAKE, INCOMPLETE = 1, 2, 3


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
) -> None:
    """Check a candidate run beside a baseline; of several baselines, the best.

    BASELINE is a run folder or a file made by `evaluator baseline`. Exits with 0 where every gate is met, 1
    where one is not, 3 where captions are missing that another run could get.
    """
    if len(runs) < 2:
        raise click.UsageError("type a baseline and a candidate: evaluator regress runs/before runs/after")
    typed = [*gates, *(read_gates(gates_file) if gates_file else ())]
    *baselines, candidate = runs
    sys.exit(check_run(baselines, candidate, typed, strict, (junit, markdown, json_file), resamples))


def check_run(
    baselines: Sequence[Path],
    candidate: Path,
    gates: Sequence[str],
    strict: bool = False,
    files: tuple[Path | None, Path | None, Path | None] = (None, None, None),
    resamples: int = 1000,
) -> int:
    """Check, print and write; the exit code."""
    from rich.console import Console

    from evaluator.contrasts import Resampling
    from evaluator.evaluate import scored_on
    from evaluator.regress import DEFAULT_GATES, Verdict, best_of, parsed, regress
    from evaluator.report.regression import as_json, junit, markdown, terminal

    understood = [parsed(gate) for gate in gates or DEFAULT_GATES]
    baseline = best_of(baselines, scored_on)
    found = regress(baseline, candidate, understood, Resampling(resamples=resamples), scored_on)
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(terminal(found))
    for warning in found.comparison.warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)
    for path, write in zip(files, (junit, markdown, as_json), strict=True):
        if path:
            path.write_text(write(found), encoding="utf-8")
    if found.is_incomplete:
        click.echo("some captions are missing: the command that made the run tries them again", err=True)
        return INCOMPLETE
    passes = found.verdict is Verdict.HOLDS or (found.verdict is Verdict.INCONCLUSIVE and not strict)
    return 0 if passes else FAILED


def read_gates(path: Path) -> list[str]:
    """A list of gates in YAML. Raises ConfigError for anything else."""
    import yaml

    from evaluator.errors import ConfigError

    try:
        gates = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    if not isinstance(gates, list) or not all(isinstance(gate, str) for gate in gates):
        raise ConfigError(f"{path} is not a list of gates. Write one a line: - 'CIDEr>=-1.0'")
    return gates


@click.command(name="baseline")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("baseline.zip"))
def baseline_command(run: Path, output: Path) -> None:
    """Keep a run as one small file without pictures, to be committed and compared with.

    It holds captions, references, signatures and each image's statistics. `compare` and `regress` take it in
    place of the run's folder.
    """
    from evaluator.store import RunFolder

    RunFolder.existing(run).export(output)
    click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB")


@click.command(name="sweep")
@OVERRIDES
@CONFIG_DIR
def sweep_command(overrides: tuple[str, ...], config_dir: Path | None) -> None:
    """Run every combination, and read it as an experiment: evaluator sweep model=a,b prompt=p,q

    As `evaluator run -m`, and then: what each model and each prompt is worth on average, and under how many
    of the others one beats another.
    """
    from evaluator.cli import evaluate_all
    from evaluator.config import run_configs

    evaluate_all(run_configs(overrides, config_dir, sweep=True), sweep=True, as_experiment=True)
