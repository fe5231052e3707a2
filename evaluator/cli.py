"""The command line: parse, call, print. Everything heavy is imported by the command that needs it.

Exit codes: 0 fine, 2 a mistake of the caller, 3 captions are missing that a further run could get.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator import __version__

if TYPE_CHECKING:
    from evaluator.compare import Comparison
    from evaluator.config import RunConfig
    from evaluator.core import Results

INCOMPLETE = 3


def importable(context: click.Context, parameter: click.Parameter, config_dir: Path | None) -> Path | None:
    """Let the YAML files of one's own name classes of modules in the working folder."""
    if config_dir and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    return config_dir


OVERRIDES = click.argument("overrides", nargs=-1)
CONFIG_DIR = click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    callback=importable,
    help="A folder with model/, prompt/, data/ or scorer/ YAML files of your own.",
)


def main() -> None:
    """Run the command; print an error of ours as one message, without a traceback."""
    from evaluator.errors import EvaluatorError

    try:
        cli.main(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except EvaluatorError as error:
        click.secho("error: ", fg="red", bold=True, nl=False, err=True)
        click.echo(error, err=True)
        sys.exit(2)
    except (KeyboardInterrupt, click.Abort):
        click.echo("stopped; every caption so far is kept: the same command goes on from here", err=True)
        sys.exit(INCOMPLETE)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="evaluator")
def cli() -> None:
    """Caption images, score the captions, compare the systems."""
    start_logging()


@cli.command()
@OVERRIDES
@click.option(
    "-m", "--multirun", is_flag=True, help="Every combination of model=a,b prompt=p,q; then compare."
)
@CONFIG_DIR
def run(overrides: tuple[str, ...], multirun: bool, config_dir: Path | None) -> None:
    """Caption and score: evaluator run model=git prompt=none data=coco ...

    OVERRIDES are Hydra's: group=choice or option=value. `evaluator list` shows the choices. The same
    command again goes on where it stopped.
    """
    from evaluator.config import is_sweep, run_configs

    multirun = multirun or is_sweep(overrides, config_dir)
    evaluate_all(run_configs(overrides, config_dir, sweep=multirun), sweep=multirun)


@cli.command(name="score")
@click.argument("captions", type=click.Path(exists=True, path_type=Path))
@OVERRIDES
@click.option(
    "--references",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="COCO captions file or Karpathy's dataset_coco.json.",
)
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the pictures: for CLIPScore and the report.",
)
@click.option("--only-with-images", is_flag=True, help="Leave out images whose picture is not in --images.")
@click.option("--scorer", "scorers", multiple=True, help="Only this scorer; may be repeated.")
@click.option("--output", type=click.Path(path_type=Path), help="The run folder to make.")
@CONFIG_DIR
def score_command(
    captions: Path,
    overrides: tuple[str, ...],
    references: Path | None,
    images: Path | None,
    only_with_images: bool,
    scorers: tuple[str, ...],
    output: Path | None,
    config_dir: Path | None,
) -> None:
    """Score captions made elsewhere, or a run folder again.

    CAPTIONS is a file in COCO's results format, [{"image_id": 42, "caption": "a dog"}, ...], or a run folder.
    """
    from evaluator.config import quoted, run_configs

    chosen = [f"scorer=[{','.join(scorers)}]"] if scorers else []
    if captions.is_dir():
        rescore(captions, [*chosen, *overrides], config_dir)
        return
    if references is None or output is None:
        raise click.UsageError("a captions file needs --references FILE and --output RUN")
    (config,) = run_configs(
        [
            "model=replay",
            f"model.captions={quoted(captions)}",
            "data=karpathy",
            f"data.annotations={quoted(references)}",
            *([f"data.images={quoted(images)}"] if images else []),
            f"only_with_images={only_with_images}",
            f"runs={quoted(output.parent)}",
            f"name={quoted(output.name)}",
            *chosen,
            *overrides,
        ],
        config_dir,
    )
    evaluate_all([config], sweep=False)


@cli.command(name="compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["table", "markdown", "latex", "csv", "json"]), default="table"
)
def compare_command(runs: tuple[Path, ...], form: str) -> None:
    """Print runs side by side."""
    from evaluator.compare import compare
    from evaluator.report.tables import FORMATS

    comparison = compare(runs)
    if form == "table":
        print_comparison(comparison)
    else:
        click.echo(FORMATS[form](comparison), nl=False)
        warn(comparison.warnings)


@cli.command(name="report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"))
def report_command(runs: tuple[Path, ...], output: Path) -> None:
    """Write one self-contained HTML page about some runs."""
    from evaluator.compare import compare
    from evaluator.report.html import write_report

    click.echo(write_report(compare(runs), output))


@cli.command(name="list")
@click.argument("group", required=False)
@CONFIG_DIR
def list_command(group: str | None, config_dir: Path | None) -> None:
    """Show what can be chosen: models, prompts, data, scorers, runners, experiments."""
    from evaluator.config import choices

    found = choices(config_dir)
    if group and group.rstrip("s") not in found:
        raise click.UsageError(f"there is no group {group!r}. It is one of {', '.join(found)}")
    for name, described in found.items():
        if group is None or group.rstrip("s") == name:
            click.secho(name, bold=True)
            width = max(map(len, described))
            for choice, description in described.items():
                click.echo(f"  {choice:{width}}  {description}")


def evaluate_all(configs: Sequence[RunConfig], sweep: bool) -> None:
    """Evaluate each run, then print and write the comparison. Exits with 3 where captions are missing."""
    from evaluator.compare import compare
    from evaluator.config import sweep_folder
    from evaluator.evaluate import evaluate
    from evaluator.report.html import write_report
    from evaluator.report.tables import FORMATS

    results: list[Results] = []
    for number, config in enumerate(configs, 1):
        logging.getLogger(__name__).info("run %d of %d: %s", number, len(configs), config.folder)
        results.append(evaluate(config))
    comparison = compare([config.folder for config in configs])
    folder = sweep_folder(configs) if sweep else configs[0].folder
    print_comparison(comparison)
    if sweep:
        folder.mkdir(parents=True, exist_ok=True)
        for form, suffix in (("markdown", "md"), ("csv", "csv"), ("json", "json")):
            (folder / f"comparison.{suffix}").write_text(FORMATS[form](comparison), encoding="utf-8")
    click.echo(f"report: {write_report(comparison, folder / 'report.html')}")
    if any(result.is_incomplete for result in results):
        click.echo("some captions are missing: the same command tries them again", err=True)
        sys.exit(INCOMPLETE)


def rescore(path: Path, overrides: Sequence[str], config_dir: Path | None) -> None:
    """Score a run folder again: with the scorers that are asked for, else with those it was scored with."""
    from evaluator.compare import compare
    from evaluator.config import recorded_scorers, run_configs
    from evaluator.evaluate import score
    from evaluator.store import RunFolder

    folder = RunFolder.existing(path)
    (config,) = run_configs(overrides, config_dir)
    asked = any(override.startswith("scorer") for override in overrides)
    scorers = config.scorers if asked else recorded_scorers(folder.config_yaml())
    score(folder, scorers, config.settings)
    print_comparison(compare([path]))


def print_comparison(comparison: Comparison) -> None:
    from rich.console import Console

    from evaluator.report.tables import reasons, terminal, terminal_style

    # A table cut to 80 columns would hide numbers in a log file.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(terminal(comparison))
    if any(row.results.style for row in comparison.rows):
        console.print(terminal_style(comparison))
    for reason in reasons(comparison):
        click.echo(reason)
    warn(comparison.warnings)


def warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        click.secho(f"warning: {warning}", fg="yellow", err=True)


def start_logging() -> None:
    """Our own messages on stderr: in colour on a terminal, elsewhere one plain line each."""
    from rich.console import Console
    from rich.logging import RichHandler

    console = Console(stderr=True)
    handler = (
        RichHandler(console=console, show_path=False, show_time=False, markup=False)
        if console.is_terminal
        else logging.StreamHandler()
    )
    handler.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger("evaluator")
    root.handlers = [handler]
    root.setLevel(logging.INFO)
