"""`evaluator score`: captions made elsewhere, and run folders again."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from evaluator.cli.console import ExitCode, print_comparison, warn
from evaluator.cli.evaluation import evaluate_and_print
from evaluator.cli.options import CONFIG_DIR, WIDE_TABLE

if TYPE_CHECKING:
    from evaluator.config.run_config import RunConfig
    from evaluator.core import Scorer


@click.command(name="score")
@click.argument("arguments", nargs=-1, metavar="[CAPTIONS]... [OVERRIDES]...")
@click.option(
    "--references",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The file with the references, in any form of docs/files.md. Default: the captions file itself.",
)
@click.option(
    "--leave-one-out",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="REFERENCES",
    help="Score the human baseline: each image's first reference against its others.",
)
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the pictures, for CLIPScore and the report.",
)
@click.option("--only-with-images", is_flag=True, help="Leave out images whose picture is not in --images.")
@click.option("--id-field", metavar="NAME", help="The field or column of CAPTIONS with the image's id.")
@click.option(
    "--caption-field",
    "caption_fields",
    multiple=True,
    metavar="NAME",
    help="The field or column of CAPTIONS with the caption; repeat it to score several.",
)
@click.option("--references-field", metavar="NAME", help="The field or column with the references.")
@click.option("--scorer", "scorers", multiple=True, help="Use only this scorer; may be repeated.")
@click.option(
    "--marks",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Also score run folders by the marks in this file, which the report exported.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="The run folder to write; for several files, the folder for their run folders. Default: runs/.",
)
@CONFIG_DIR
@WIDE_TABLE
def score_command(
    arguments: tuple[str, ...],
    references: Path | None,
    leave_one_out: Path | None,
    images: Path | None,
    only_with_images: bool,
    id_field: str | None,
    caption_fields: tuple[str, ...],
    references_field: str | None,
    scorers: tuple[str, ...],
    marks: Path | None,
    output: Path | None,
    config_dir: Path | None,
) -> ExitCode:
    """Score captions made elsewhere, or run folders again.

    CAPTIONS are run folders, or files: COCO's results format, JSON Lines, tables, results of lmms-eval,
    VLMEvalKit and others. Usual names of fields are known, and spellings of image ids.

    evaluator score captions.json --references dataset_coco.json

    evaluator score results.csv --caption-field lora_caption --references captions_val2017.json

    OVERRIDES are options as `evaluator run` takes them: normalize=strip_preamble
    """
    from evaluator.config.run_config import distinct, run_configs

    paths = [Path(argument) for argument in arguments if is_path(argument)]
    overrides = [argument for argument in arguments if not is_path(argument)]
    if scorers:
        overrides.insert(0, f"scorer=[{','.join(scorers)}]")
    if missing := next((override for override in overrides if "=" not in override), None):
        raise click.UsageError(f"there is no file or folder {missing!r}; options are typed as option=value")
    if paths and all(path.is_dir() for path in paths):
        return rescore(paths, overrides, config_dir, marks)
    if marks:
        raise click.UsageError("--marks scores run folders: marks are of captions that a report showed")
    if folder := next((path for path in paths if path.is_dir()), None):
        raise click.UsageError(
            f"{folder} is a folder: score run folders and captions files in separate commands"
        )
    data = ["data=karpathy", *typed("data.images", images), f"only_with_images={only_with_images}"]
    if leave_one_out:
        if paths:
            raise click.UsageError(
                "--leave-one-out scores people: score captions files in a separate command"
            )
        data += [*typed("data.annotations", leave_one_out), "data.leave_out=1"]
        data += [*typed("data.id_field", id_field), *typed("data.references_field", references_field)]
        sources = [Source(human_captions([*data, *overrides], config_dir))]
        names = ["human"]
    elif paths:
        sources = [Source(path, id_field, field) for path in paths for field in caption_fields or (None,)]
        names = run_names(sources)
    else:
        raise click.UsageError("type captions files with --references FILE, or --leave-one-out REFERENCES")
    configs: list[RunConfig] = []
    for source, name in zip(sources, names, strict=True):
        others = [path for path in paths if path != source.path]
        of_run = (
            data if leave_one_out else [*data, *references_of(source, references, references_field, others)]
        )
        folder = output if output and len(sources) == 1 else (output or Path("runs")) / name
        output_options = [*typed("runs", folder.parent), *typed("name", folder.name)]
        configs += run_configs([*source.overrides, *of_run, *output_options, *overrides], config_dir)
    if not output and not any(override.startswith("name=") for override in overrides):
        configs = [config.with_free_name() for config in configs]
    return evaluate_and_print(distinct(configs), is_sweep=len(sources) > 1)


@dataclass(frozen=True)
class Source:
    """A captions file, and the fields to take ids and captions from where the user named them."""

    path: Path
    id_field: str | None = None
    caption_field: str | None = None

    @property
    def overrides(self) -> list[str]:
        return [
            "model=replay",
            *typed("model.captions", self.path),
            *typed("model.id_field", self.id_field),
            *typed("model.caption_field", self.caption_field),
        ]


def run_names(sources: Sequence[Source]) -> list[str]:
    """A name for each: the file's, with as many of its folders as tell it from the others, and its column.

    >>> run_names([Source(Path("git/val.json")), Source(Path("blip/val.json")), Source(Path("blip.csv"))])
    ['git-val', 'blip-val', 'blip']
    """
    paths = [source.path.resolve().with_suffix("").parts for source in sources]
    columns = {source.caption_field for source in sources}
    names = []
    for source, parts in zip(sources, paths, strict=True):
        others = [other for other in paths if other != parts]
        enough = (n for n in range(1, len(parts)) if all(other[-n:] != parts[-n:] for other in others))
        column = [str(source.caption_field)] if len(columns) > 1 else []
        names.append("-".join([*parts[-next(enough, 1) :], *column]))
    return names


def references_of(
    source: Source, references: Path | None, field: str | None, others: Sequence[Path]
) -> list[str]:
    """The overrides that name the references: of their own file, or of the captions file itself.

    `others` are the further files that were typed: one of them may have been meant.
    """
    from evaluator.core.errors import DataError
    from evaluator.data.references_file import references_beside

    if references and not references.samefile(source.path):
        return [*typed("data.annotations", references), *typed("data.references_field", field)]
    try:
        beside = references_beside(source.path, source.id_field, source.caption_field, field)
    except DataError as error:
        if not others:
            raise
        raise DataError(
            f"{error}. If {others[0]} holds them, type evaluator score {source.path} --references {others[0]}"
        ) from error
    return [
        *typed("data.annotations", source.path),
        *typed("data.id_field", source.id_field),
        *typed("data.references_field", beside),
    ]


def typed(option: str, value: Path | str | None) -> list[str]:
    """An option as it is typed; none for None."""
    from evaluator.config.compose import quoted

    return [] if value is None else [f"{option}={quoted(value)}"]


def is_path(argument: str) -> bool:
    """Whether an argument names a file or folder; a file may have a `=` in its name."""
    return os.path.exists(argument)  # unlike pathlib, it takes text that is too long for a name


def human_captions(overrides: Sequence[str], config_dir: Path | None) -> Path:
    """A captions file with the references that are held out."""
    import hashlib
    import json

    from evaluator.config.run_config import run_configs
    from evaluator.core.errors import DataError
    from evaluator.data.human import held_out_captions
    from evaluator.files.atomic import replace_file
    from evaluator.files.cache_folder import cache_folder

    (config,) = run_configs(
        [*overrides, "model=replay", "model.captions=none", "data.leave_out=null"], config_dir
    )
    held_out = held_out_captions(config.data.load(), 1)
    if not held_out:
        raise DataError("--leave-one-out: no image has two references, one of which could stand for a person")
    captions = [{"image_id": item_id, "caption": text} for item_id, text in held_out.items()]
    content = json.dumps(captions).encode()
    path = cache_folder("human") / f"{hashlib.sha256(content).hexdigest()[:16]}.json"
    replace_file(path, content)
    return path


def rescore(
    paths: Sequence[Path], overrides: Sequence[str], config_dir: Path | None, marks: Path | None = None
) -> ExitCode:
    """Score run folders again: with the scorers that are typed, else with those they were scored with.

    Incomplete where a judge owes an answer. Raises DataError for a file that holds no marks.
    """
    from evaluator.comparison.compare import compare
    from evaluator.config.recorded import recorded_scorers
    from evaluator.config.run_config import run_configs
    from evaluator.core import AsksModel
    from evaluator.files.hand_marks import read_marks
    from evaluator.scorers.hand_marks import HandMarks
    from evaluator.scoring import score
    from evaluator.store.run_folder import RunFolder

    (config,) = run_configs(overrides, config_dir)
    chosen = any(override.startswith("scorer") for override in overrides)
    for judge in config.scorers.values() if chosen else ():
        if isinstance(judge, AsksModel):
            warn(judge.check(config.runner))
    by_hand: dict[str, Scorer] = {}
    if marks:
        read_marks(marks)  # a mistake in the file is reported before anything is scored
        by_hand = {"marks": HandMarks(marks)}
    runs = [RunFolder.existing(path).load() for path in paths]
    scored = []
    for run in runs:
        scorers = config.scorers if chosen else recorded_scorers(run.config)
        scored.append(score(run, {**scorers, **by_hand}, config.settings, config.runner))
    print_comparison(compare(scored))
    return ExitCode.of(any(run.results.unanswered for run in scored))
