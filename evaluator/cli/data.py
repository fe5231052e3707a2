"""`evaluator data`: fetch published data sets, and look for what is wrong with one."""

from __future__ import annotations

import re
import shlex
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import ExitCode, echo, print_document, print_table, printable_console
from evaluator.cli.options import CONFIG_DIR, format_option

if TYPE_CHECKING:
    from evaluator.data.fetch import Fetch, Shown

LOG_SECONDS = 10.0


@click.group(name="data")
def data_command() -> None:
    """Fetch a published data set, or look for what is wrong with a data set of any kind."""


@data_command.command(name="fetch")
@click.argument("name", required=False)
@click.option(
    "--to",
    "parent",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("data"),
    show_default=True,
    metavar="DIR",
    help="The folder in which the data set gets a folder of its own.",
)
@click.option(
    "--mirror",
    envvar="EVALUATOR_MIRROR",
    metavar="URL",
    help="Fetch from here, where the files lie in folders named by their servers. Also $EVALUATOR_MIRROR.",
)
@click.option("--no-pictures", is_flag=True, help="Only annotations: enough to score captions.")
def fetch_command(name: str | None, parent: Path, mirror: str | None, no_pictures: bool) -> ExitCode:
    """Download a published data set: coco-val2017, coco-val2014, karpathy, flickr8k or nocaps.

    The same command resumes where an earlier one ended. It prints what to type then. Without a NAME, it lists
    the data sets.
    """
    from evaluator.core.spelling import did_you_mean
    from evaluator.data import published
    from evaluator.data.fetch import Fetch

    by_name = {dataset.name: dataset for dataset in published.published_datasets()}
    if name is None:
        for dataset in by_name.values():
            size = sum(file.bytes for file in dataset.files) + dataset.picture_bytes
            echo(f"{dataset.name:14}{size / 1e9:5.1f} GB  {dataset.about}")
        return ExitCode.OK
    if name not in by_name:
        meant = did_you_mean(name, by_name)
        raise click.UsageError(
            f"there is no data set {name!r} to fetch.{meant} There are {', '.join(by_name)}"
        )
    fetch = Fetch(by_name[name], parent, mirror, not no_pictures)
    with progress() as shown:
        fetch.run(shown)
    echo(f"{name} is in {fetch.folder}. Type:")
    echo(line_to_type(fetch))
    return ExitCode.OK


@data_command.command(name="check")
@click.argument("arguments", nargs=-1, required=True, metavar="DATA | OVERRIDES...")
@format_option("table", "json")
@CONFIG_DIR
def check_command(arguments: tuple[str, ...], form: str, config_dir: Path | None) -> ExitCode:
    """Look for duplicates, near duplicates, unreadable pictures, and images that two splits share.

    evaluator data check data=coco data.images=val2017 data.annotations=captions_val2017.json

    DATA is a choice such as demo, or a folder of pictures; OVERRIDES are those of `evaluator run`. The exit
    code is 1 where something was found.
    """
    from evaluator.cli.data_check import check_json, check_lines, check_table
    from evaluator.config.run_config import run_configs
    from evaluator.data.check import check_dataset
    from evaluator.prepare import chosen

    overrides = [override for argument in arguments for override in as_overrides(argument)]
    (config,) = run_configs(overrides, config_dir)
    items = chosen(config.data, config.data.load(), config.settings)
    with progress() as shown:
        found = check_dataset(config.data, items, lambda done: shown("pictures", done, len(items)))
    if form == "json":
        print_document(check_json(found))
    else:
        print_table(check_table(found))
        for line in check_lines(found):
            echo(line)
    return ExitCode.OK if found.is_clean else ExitCode.FAILED


def as_overrides(argument: str) -> list[str]:
    """An override as it is; a folder as data=folder; any other word as a choice of data sets."""
    if Path(argument).is_dir():
        return ["data=folder", f"data.images={typed(Path(argument))}"]
    return [argument] if "=" in argument else [f"data={argument}"]


def line_to_type(fetch: Fetch) -> str:
    """The command that captions what was fetched; that scores captions, where there are no pictures."""
    dataset, folder = fetch.dataset, fetch.folder
    annotations = folder / dataset.annotations
    if not (folder / dataset.images).exists():
        return shlex.join(["evaluator", "score", "captions.json", "--references", str(annotations)])
    places = {"images": folder / dataset.images, "annotations": annotations}
    if dataset.instances:
        places["instances"] = folder / dataset.instances
    overrides = [f"data.{option}={typed(path)}" for option, path in places.items()]
    return shlex.join(["evaluator", "run", "model=git", f"data={dataset.data}", *overrides])


def typed(path: Path) -> str:
    """A path as the value of an override: in quotes of Hydra's grammar where it needs them."""
    from evaluator.config.compose import quoted

    return str(path) if re.fullmatch(r"[\w./-]+( [\w./-]+)*", str(path), re.ASCII) else quoted(path)


@contextmanager
def progress() -> Iterator[Shown]:
    """A bar for each file on a terminal, else a line every ten seconds."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = printable_console(stderr=True)
    if console.is_terminal:
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        with Progress(*columns, console=console) as bars:
            tasks = {}

            def show_bar(name: str, done: int, whole: int | None) -> None:
                if name not in tasks:
                    tasks[name] = bars.add_task(name, total=whole)
                bars.update(tasks[name], completed=done, total=whole)

            yield show_bar
        return
    shown_at: dict[str, float] = {}

    def show_line(name: str, done: int, whole: int | None) -> None:
        now = time.monotonic()
        if now - shown_at.setdefault(name, now) >= LOG_SECONDS or done == whole:
            shown_at[name] = now
            of_whole = f" of {whole:,}" if whole else ""
            echo(f"{name}: {done:,}{of_whole}", err=True)

    yield show_line
