"""`evaluator caption`: caption your own pictures with one model, or with several side by side."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import ExitCode, echo, print_table, warn
from evaluator.cli.options import RunOptions, demo_model_notes, run_options

if TYPE_CHECKING:
    from rich.table import Table

    from evaluator.cli.own_pictures import OwnPictures
    from evaluator.config.run_config import RunConfig
    from evaluator.core import Caption, Item
    from evaluator.core.errors import EvaluatorError


SHOWN_FAILURES = 10


@dataclass(frozen=True)
class Answers:
    """One model's caption of each picture."""

    label: str
    captions: Mapping[str, Caption]
    seconds: float


@click.command(name="caption")
@click.argument("arguments", nargs=-1, required=True, metavar="PICTURE... [OVERRIDES]...")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE.csv|FILE.jsonl|.txt|.xmp|FOLDER",
    help="Write the captions to a table, to a file beside each picture (only .txt or .xmp), or into copies "
    "of the pictures in a folder. The same command resumes where an earlier one ended.",
)
@run_options
def caption_command(arguments: tuple[str, ...], output: Path | None, options: RunOptions) -> ExitCode:
    """Caption your own pictures, with several models or prompts side by side.

    evaluator caption photo.jpg model=gemini,git

    evaluator caption photo.jpg model=ollama model.model=llava --prompt "Name the plants, in Latin"

    evaluator caption holiday model=git --output captions.csv

    evaluator caption holiday model=git --output described

    A PICTURE is a file, a folder with all its pictures, or an http address. For scores and a report:
    evaluator run data=folder data.images=DIR

    OVERRIDES are those of `evaluator run`; `evaluator list models` shows the models. The key of a cloud model
    comes from the environment. Besides --output, only the answer cache is written.
    """
    from evaluator.cli.own_pictures import is_own_picture, own_pictures, places_of
    from evaluator.core.errors import together

    typed = [argument for argument in arguments if is_own_picture(argument)]
    overrides = [argument for argument in arguments if argument not in typed]
    if missing := next((override for override in overrides if "=" not in override), None):
        raise click.UsageError(f"there is no picture {missing!r}; options are typed as option=value")
    configs = options.configs(overrides, sweep=True)
    warn(demo_model_notes(configs))
    named = dict(zip(labels(configs), configs, strict=True))
    places = places_of(typed)
    if output:
        return write_captions(named, typed, places, output)
    with own_pictures(places) as pictures:
        warn(checked_together(named, pictures.items))
        answers, failures = ask_each(named, pictures)
    if not answers:
        raise together(failures)
    print_table(side_by_side(pictures.places, answers), 160)
    for label, error in failures:
        echo(f"failed: {label}: {error}", err=True)
    if failures:
        return ExitCode.MISTAKE
    if any(caption.outcome.can_be_retried for each in answers for caption in each.captions.values()):
        return ExitCode.INCOMPLETE
    return ExitCode.OK


def write_captions(
    named: Mapping[str, RunConfig], typed: Sequence[str], places: Sequence[str], path: Path
) -> ExitCode:
    """Caption what has no caption in the output yet; each caption is written as soon as it is made."""
    from evaluator.cli.caption_output import MadeBy, caption_output
    from evaluator.cli.own_pictures import own_pictures
    from evaluator.config.identity import short_hash

    if len(named) > 1:
        raise click.UsageError("--output takes the captions of one model with one prompt")
    ((label, config),) = named.items()
    made_by = MadeBy(label, short_hash([config.identity[group] for group in ("model", "prompt")]))
    root = Path(typed[0]) if len(typed) == 1 and Path(typed[0]).is_dir() else None
    output = caption_output(path, made_by, root, places)
    done = set(output.done(places))
    todo = [place for place in places if place not in done]
    if done:
        echo(f"{path}: {len(done):,} of {len(places):,} pictures are captioned already", err=True)
    if not todo:
        return ExitCode.OK
    failures: list[Caption] = []

    def record(caption: Caption) -> None:
        output.write(caption.item_id, caption)
        if caption.text is None:
            failures.append(caption)

    with own_pictures(todo) as pictures:
        warn(checked_together(named, pictures.items))
        with output.writing():
            for caption in undownloaded(pictures).values():
                record(caption)
            config.runner.run(config.model, config.prompt, pictures.items, record)
    for caption in failures[:SHOWN_FAILURES]:
        echo(f"{caption.item_id}: {caption.outcome}: {caption.error}", err=True)
    without = f", {len(failures):,} pictures got none" if failures else ""
    echo(f"{path}: {len(todo) - len(failures):,} new captions{without}")
    incomplete = any(caption.outcome.can_be_retried for caption in failures)
    return ExitCode.INCOMPLETE if incomplete else ExitCode.OK


def labels(configs: Sequence[RunConfig]) -> list[str]:
    """The model, and the prompt where that differs; numbered where options make the difference."""
    prompts = {config.choices["prompt"] for config in configs}
    plain = [
        config.choices["model"] + (f" {config.choices['prompt']}" if len(prompts) > 1 else "")
        for config in configs
    ]
    return [
        label if plain.count(label) == 1 else f"{label} #{number}" for number, label in enumerate(plain, 1)
    ]


def checked_together(named: Mapping[str, RunConfig], items: Sequence[Item]) -> list[str]:
    """Warnings before the first answer is paid for. Raises one error for all problems."""
    from evaluator.core.errors import EvaluatorError, together
    from evaluator.prepare import model_warnings

    warnings: list[str] = []
    problems: list[tuple[str, EvaluatorError]] = []
    for label, config in named.items():
        try:
            warnings += model_warnings(config, items)
        except EvaluatorError as error:
            problems.append((label, error))
    if problems:
        raise together(problems)
    return list(dict.fromkeys(warnings))


def ask_each(
    named: Mapping[str, RunConfig], pictures: OwnPictures
) -> tuple[list[Answers], list[tuple[str, EvaluatorError]]]:
    """The answers of each model; one that fails does not stop the others."""
    from evaluator.core.errors import EvaluatorError

    answers: list[Answers] = []
    failures: list[tuple[str, EvaluatorError]] = []
    for label, config in named.items():
        try:
            answers.append(ask(config, label, pictures))
        except EvaluatorError as error:
            failures.append((label, error))
    return answers, failures


def ask(config: RunConfig, label: str, pictures: OwnPictures) -> Answers:
    captions = undownloaded(pictures)

    def record(caption: Caption) -> None:
        captions[caption.item_id] = caption

    start = time.monotonic()
    config.runner.run(config.model, config.prompt, pictures.items, record)
    return Answers(label, captions, time.monotonic() - start)


def undownloaded(pictures: OwnPictures) -> dict[str, Caption]:
    """The failures of the addresses that gave no picture."""
    from evaluator.core import Caption, Outcome

    return {
        address: Caption(address, Outcome.ERROR, error=reason)
        for address, reason in pictures.failures.items()
    }


def side_by_side(places: Sequence[str], answers: Sequence[Answers]) -> Table:
    """One row per picture, one column per model; cost and time stand under each caption and at the end."""
    from rich.markup import escape
    from rich.table import Table

    from evaluator.store.counts import known_sum

    table = Table(show_lines=True, show_footer=True)
    table.add_column("picture", "all")
    for each in answers:
        cost_usd = known_sum(caption.cost_usd for caption in each.captions.values())
        table.add_column(escape(each.label), time_and_cost(cost_usd, each.seconds))
    for place in places:
        table.add_row(escape(place), *(cell(each.captions[place]) for each in answers))
    return table


def cell(caption: Caption) -> str:
    """The caption, or why there is none, with its time and cost."""
    from rich.markup import escape

    text = caption.text if caption.text is not None else f"{caption.outcome}: {caption.error}"
    took = "from the cache" if caption.source == "cache" else time_and_cost(caption.cost_usd, caption.seconds)
    return f"{escape(text)}\n[dim]{took}[/dim]"


def time_and_cost(cost_usd: float | None, seconds: float) -> str:
    return f"{seconds:.1f} s" + ("" if cost_usd is None else f", ${cost_usd:.5f}")
