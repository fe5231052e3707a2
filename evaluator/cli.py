"""The command line: parse, call, print. Everything heavy is imported by the command that needs it.

Exit codes: 0 fine, 1 a check failed, 2 a mistake of the caller, 3 captions are missing that another
run could get.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator import __version__
from evaluator.commands.cache import cache_command
from evaluator.commands.caption import caption_command
from evaluator.commands.doctor import doctor_command
from evaluator.commands.leaderboard import leaderboard_command
from evaluator.commands.options import CONFIG_DIR, OVERRIDES
from evaluator.commands.plan import plan_command
from evaluator.commands.regress import baseline_command, check_run, regress_command, sweep_command

if TYPE_CHECKING:
    from evaluator.compare import Comparison
    from evaluator.config import RunConfig
    from evaluator.core import Results
    from evaluator.significance import Method

FAILED = 1
INCOMPLETE = 3


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


OWN_MODULES = (
    *(plan_command, caption_command, cache_command, doctor_command),
    *(regress_command, baseline_command, sweep_command, leaderboard_command),
)
for command in OWN_MODULES:
    cli.add_command(command)


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
@click.argument("arguments", nargs=-1, metavar="[CAPTIONS]... [OVERRIDES]...")
@click.option(
    "--references",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="COCO captions file or Karpathy's dataset_coco.json.",
)
@click.option(
    "--leave-one-out",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="REFERENCES",
    help="The human baseline: each image's first reference against its others.",
)
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of the pictures: for CLIPScore and the report.",
)
@click.option("--only-with-images", is_flag=True, help="Leave out images whose picture is not in --images.")
@click.option("--scorer", "scorers", multiple=True, help="Only this scorer; may be repeated.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The run folder to make, of several files the folder for theirs; runs/ by default.",
)
@CONFIG_DIR
def score_command(
    arguments: tuple[str, ...],
    references: Path | None,
    leave_one_out: Path | None,
    images: Path | None,
    only_with_images: bool,
    scorers: tuple[str, ...],
    output: Path | None,
    config_dir: Path | None,
) -> None:
    """Score captions made elsewhere, or run folders again.

    CAPTIONS are run folders, or files in COCO's results format, [{"image_id": 42, "caption": "a dog"}, ...],
    in JSON Lines or in CSV. OVERRIDES are options as `evaluator run` takes them: normalize=strip_preamble
    """
    from evaluator.config import quoted, run_configs

    paths = [Path(argument) for argument in arguments if is_path(argument)]
    overrides = [argument for argument in arguments if not is_path(argument)]
    if scorers:
        overrides.insert(0, f"scorer=[{','.join(scorers)}]")
    if missing := next((override for override in overrides if "=" not in override), None):
        raise click.UsageError(f"there is no file or folder {missing!r}, and an option is typed option=value")
    if paths and all(path.is_dir() for path in paths):
        rescore(paths, overrides, config_dir)
        return
    if folder := next((path for path in paths if path.is_dir()), None):
        raise click.UsageError(
            f"{folder} is a folder: score run folders and captions files one after the other"
        )
    data = [
        "data=karpathy",
        *([f"data.images={quoted(images)}"] if images else []),
        f"only_with_images={only_with_images}",
    ]
    if leave_one_out:
        if paths:
            raise click.UsageError(
                "--leave-one-out scores people; score captions files by a command of their own"
            )
        data += [f"data.annotations={quoted(leave_one_out)}", "data.leave_out=1"]
        paths = [human_captions([*data, *overrides], config_dir)]
        output = output or Path("runs/human")
    elif paths and references:
        data += [f"data.annotations={quoted(references)}"]
    else:
        raise click.UsageError("type captions files with --references FILE, or --leave-one-out REFERENCES")
    one = len(paths) == 1
    configs = []
    for path in paths:
        folder = (output or Path("runs") / path.stem) if one else (output or Path("runs")) / path.stem
        replayed = ["model=replay", f"model.captions={quoted(path)}"]
        place = [f"runs={quoted(folder.parent)}", f"name={quoted(folder.name)}"]
        configs += run_configs([*replayed, *data, *place, *overrides], config_dir)
    evaluate_all(configs, sweep=not one)


@cli.command(name="compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--format", "form", type=click.Choice(["table", "markdown", "latex", "csv", "json"]), default="table"
)
@click.option(
    "--baseline", type=click.Path(path_type=Path), help="Show differences to this run; the first by default."
)
@click.option(
    "--on",
    type=click.Choice(["both", "all"]),
    default="both",
    show_default=True,
    help="Scores over the images that every run captioned, or over all that each captioned.",
)
@click.option("--resamples", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--interval", "method", type=click.Choice(["percentile", "bca"]), default="percentile")
def compare_command(
    runs: tuple[Path, ...], form: str, baseline: Path | None, on: str, resamples: int, method: Method
) -> None:
    """Print runs side by side: scores, differences to a baseline, paired tests, ranks."""
    from evaluator.compare import compare
    from evaluator.contrasts import Resampling
    from evaluator.evaluate import scored_on
    from evaluator.report.tables import FORMATS

    comparison = compare(
        runs, baseline, on == "all", Resampling(resamples=resamples, method=method), scored_on
    )
    if form == "table":
        print_comparison(comparison)
    else:
        click.echo(FORMATS[form](comparison), nl=False)
        warn(comparison.warnings)


@cli.command(name="report")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), default=Path("report.html"))
@click.option(
    "--pictures",
    type=click.IntRange(min=0),
    default=200,
    show_default=True,
    help="How many of the images have their picture in the page; texts and scores are there of all.",
)
@click.option(
    "--pictures-beside", is_flag=True, help="Put all pictures into a folder beside the page, OUTPUT_pictures."
)
def report_command(runs: tuple[Path, ...], output: Path, pictures: int, pictures_beside: bool) -> None:
    """Write one HTML page about some runs, self-contained unless its pictures are put beside it."""
    from evaluator.compare import compare
    from evaluator.evaluate import scored_on
    from evaluator.report.html import write_report

    taken = output.with_name(f"{output.stem}_pictures") if pictures_beside else pictures

    click.echo(write_report(compare(runs, rescored=scored_on), output, taken))


@cli.command(name="verify-metrics")
def verify_metrics_command() -> None:
    """Check this installation's metrics against known values of the original programs."""
    from evaluator.verify import verify

    checks = verify()
    click.echo(f"{'metric':10}{'expected':>20}{'got':>20}{'difference':>12}")
    for check in checks:
        got = "not computed" if check.got is None else f"{check.got:.15f}"
        difference = "" if check.difference is None else f"{check.difference:.0e}"
        click.echo(f"{check.metric:10}{check.expected:20.15f}{got:>20}{difference:>12}")
    for reason in dict.fromkeys(f"{check.metric}: {check.reason}" for check in checks if check.reason):
        click.echo(reason)
    if wrong := [check.metric for check in checks if check.got is not None and not check.agrees]:
        click.echo(f"{', '.join(wrong)}: not the number of the original program", err=True)
        sys.exit(FAILED)


@cli.command(name="idf")
@click.argument("references", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--split", default="test", show_default=True, help="Of a file that holds several splits.")
@click.option("--name", help="For signatures, and for scorer.cider.idf=NAME; the file's own by default.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="Write it there.")
def idf_command(references: Path, split: str, name: str | None, output: Path | None) -> None:
    """Keep the document frequencies of a data set, so that CIDEr of a part of it is as within the whole.

    REFERENCES is a COCO captions file or Karpathy's dataset_coco.json.
    """
    from evaluator.data.karpathy import Karpathy
    from evaluator.scorers.idf import make_table, table_path, write_table

    items = Karpathy(images=None, annotations=references, split=split).load()
    name = name or (output or references).stem
    if Path(name).name != name:
        raise click.UsageError(f"--name {name!r} has parts of a path: give --output for the place")
    table = make_table(tuple(item.references for item in items if item.references), name)
    path = output or table_path(name)
    write_table(table, path)
    size = path.stat().st_size / 1e6
    click.echo(
        f"{path}: {table.images:,} images, {table.ngrams:,} n-grams that two or more share, {size:.1f} MB"
    )
    click.echo(f"type scorer.cider.idf={output or name}; signatures say idf:{table.label}")


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


def evaluate_all(configs: Sequence[RunConfig], sweep: bool, as_experiment: bool = False) -> None:
    """Evaluate each run, then print and write the comparison; check each beside its baseline, if it has one.

    Exits with 3 where captions are missing, with 1 where a gate is not met.
    """
    from evaluator import experiment
    from evaluator.compare import compare
    from evaluator.config import sweep_folder
    from evaluator.evaluate import evaluate, scored_on
    from evaluator.report.html import write_report
    from evaluator.report.tables import FORMATS

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
        sys.exit(INCOMPLETE)
    if any(codes):
        sys.exit(FAILED)


def is_path(argument: str) -> bool:
    """Whether an argument names something that is there; a file may well have a `=` in its name."""
    return Path(argument).exists()


def human_captions(overrides: Sequence[str], config_dir: Path | None) -> Path:
    """A captions file of what is left out of the references."""
    import hashlib
    import json

    from evaluator.cache_folder import cache_folder
    from evaluator.config import run_configs
    from evaluator.data.human import said_by

    (config,) = run_configs(
        [*overrides, "model=replay", "model.captions=none", "data.leave_out=null"], config_dir
    )
    captions = [
        {"image_id": item_id, "caption": said} for item_id, said in said_by(config.data.load(), 1).items()
    ]
    content = json.dumps(captions).encode()
    path = cache_folder("human") / f"{hashlib.sha256(content).hexdigest()[:16]}.json"
    path.write_bytes(content)
    return path


def rescore(paths: Sequence[Path], overrides: Sequence[str], config_dir: Path | None) -> None:
    """Score run folders again: with the scorers that are asked for, else with those they were scored with."""
    from evaluator.compare import compare
    from evaluator.config import recorded_scorers, run_configs
    from evaluator.evaluate import score, scored_on
    from evaluator.store import RunFolder

    (config,) = run_configs(overrides, config_dir)
    asked = any(override.startswith("scorer") for override in overrides)
    for folder in [RunFolder.existing(path) for path in paths]:
        score(folder, config.scorers if asked else recorded_scorers(folder.config_yaml()), config.settings)
    print_comparison(compare(paths, rescored=scored_on))


def print_comparison(comparison: Comparison) -> None:
    from rich.console import Console

    from evaluator.report.tables import reasons, terminal, terminal_differences, terminal_style

    # A table cut to 80 columns would hide numbers in a log file.
    console = Console() if sys.stdout.isatty() else Console(width=200)
    console.print(terminal(comparison))
    if (differences := terminal_differences(comparison)) is not None:
        console.print(differences)
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
