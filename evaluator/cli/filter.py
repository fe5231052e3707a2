"""`evaluator filter`: captions that do not fit their picture, and the captions file without them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import ExitCode, echo, print_document, print_table
from evaluator.cli.options import CONFIG_DIR, OVERRIDES, format_option

if TYPE_CHECKING:
    from evaluator.scorers.caption_filter import Filtered, Judged

SHOWN = 20


def finite(context: click.Context, parameter: click.Parameter, value: float) -> float:
    """The value of an option; nothing is below or above one that is not a number."""
    if not math.isfinite(value):
        raise click.BadParameter(f"{value} is not a number")
    return value


@click.command(name="filter")
@click.argument("source", metavar="RUN|DATA")
@OVERRIDES
@click.option(
    "--threshold",
    type=float,
    default=0.5,
    show_default=True,
    callback=finite,
    help="Captions below it do not fit.",
)
@click.option(
    "--metric",
    type=click.Choice(["ITM", "ITC"]),
    default="ITM",
    show_default=True,
    help="ITM: the probability that a caption fits; ITC: a cosine.",
)
@click.option(
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the captions that fit, in COCO's format.",
)
@format_option("table", "json")
@CONFIG_DIR
def filter_command(
    source: str,
    overrides: tuple[str, ...],
    threshold: float,
    metric: str,
    output: Path | None,
    form: str,
    config_dir: Path | None,
) -> ExitCode:
    """List the captions that do not fit their picture, people's too, and write the others.

    evaluator filter runs/ours --threshold 0.3 --output fitting.json

    RUN is a run folder, whose captions are judged. DATA is a choice such as demo, or a folder of pictures,
    whose references are judged. OVERRIDES are those of `evaluator run`, such as data.images=DIR, and
    scorer.itm.checkpoint=NAME. ITM is the probability that caption and picture match, ITC their cosine.
    """
    from evaluator.cli.data import as_overrides
    from evaluator.config.run_config import run_configs
    from evaluator.core.errors import DataError
    from evaluator.files.output_files import write_output
    from evaluator.prepare import chosen
    from evaluator.scorers.caption_filter import as_annotations, as_results, filtered
    from evaluator.scorers.itm import ITM
    from evaluator.store.run_folder import RunFolder
    from evaluator.store.run_folders import is_run

    is_of_run = is_run(Path(source))
    typed = [*([] if is_of_run else as_overrides(source)), *overrides]
    if not any(override.startswith("scorer=") for override in typed):
        typed.insert(0, "scorer=[itm]")
    (config,) = run_configs(typed, config_dir)
    scorer = next((one for one in config.scorers.values() if isinstance(one, ITM)), None)
    if scorer is None:
        raise click.UsageError("filter needs a matching head. Type scorer=[itm]")
    if is_of_run:
        run = RunFolder.existing(Path(source)).load()
        items, captions = list(run.items), run.captions_of_items
        pairs = [(item, text) for item in items if (text := captions[item.id].text) is not None]
    else:
        items = chosen(config.data, config.data.load(), config.settings)
        pairs = [(item, reference) for item in items for reference in item.references]
    if not pairs:
        raise DataError(f"{source}: there are no captions to judge")
    found = scorer.matcher().matches([(item.image, caption) for item, caption in pairs])
    result = filtered(pairs, found, metric, threshold)
    if output:
        kept = as_results(result.matching) if is_of_run else as_annotations(items, result.matching)
        write_output(output, json.dumps(kept, ensure_ascii=False) + "\n")
    if form == "json":
        print_document(as_json(result, metric, threshold))
        return ExitCode.OK
    print_worst(result.others)
    more = f", the worst {SHOWN} above" if len(result.others) > SHOWN else ""
    echo(
        f"{len(result.others):,} of {len(pairs):,} captions do not fit their picture{more}: "
        f"{metric} below {threshold:g}"
    )
    if result.not_judged:
        echo(f"{len(result.not_judged):,} captions were not judged: their picture cannot be read")
    if output:
        echo(f"{output}: the {len(result.matching):,} captions that fit")
    return ExitCode.OK


def print_worst(others: Sequence[Judged]) -> None:
    from evaluator.report.text.table import Cell, TextTable

    rows = [
        [Cell(one.item.id), Cell(one.caption), Cell(f"{one.probability:.3f}"), Cell(f"{one.cosine:.3f}")]
        for one in others[:SHOWN]
    ]
    if rows:
        print_table(TextTable(["image", "caption", "ITM", "ITC"], rows, left=2))


def as_json(result: Filtered, metric: str, threshold: float) -> str:
    document = {
        "metric": metric,
        "threshold": threshold,
        "fit": len(result.matching),
        "not_judged": len(result.not_judged),
        "do_not_fit": [
            {"image_id": one.item.id, "caption": one.caption, "ITM": one.probability, "ITC": one.cosine}
            for one in result.others
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
