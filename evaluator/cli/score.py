"""`evaluator score`: captions made elsewhere, and run folders again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from evaluator.cli.console import ExitCode, print_comparison
from evaluator.cli.evaluation import evaluate_and_print
from evaluator.cli.options import CONFIG_DIR, WIDE_TABLE


@click.command(name="score")
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
    help="Score the human baseline: each image's first reference against its others.",
)
@click.option(
    "--images",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder with the pictures, for CLIPScore and the report.",
)
@click.option("--only-with-images", is_flag=True, help="Leave out images whose picture is not in --images.")
@click.option("--scorer", "scorers", multiple=True, help="Use only this scorer; may be repeated.")
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
    scorers: tuple[str, ...],
    output: Path | None,
    config_dir: Path | None,
) -> ExitCode:
    """Score captions made elsewhere, or run folders again.

    CAPTIONS are run folders, or files in COCO's results format, [{"image_id": 42, "caption": "a dog"}, ...],
    in JSON Lines or in CSV. OVERRIDES are options as `evaluator run` takes them: normalize=strip_preamble
    """
    from evaluator.config.compose import quoted
    from evaluator.config.run_config import run_configs

    paths = [Path(argument) for argument in arguments if is_path(argument)]
    overrides = [argument for argument in arguments if not is_path(argument)]
    if scorers:
        overrides.insert(0, f"scorer=[{','.join(scorers)}]")
    if missing := next((override for override in overrides if "=" not in override), None):
        raise click.UsageError(f"there is no file or folder {missing!r}; options are typed as option=value")
    if paths and all(path.is_dir() for path in paths):
        rescore(paths, overrides, config_dir)
        return ExitCode.OK
    if folder := next((path for path in paths if path.is_dir()), None):
        raise click.UsageError(
            f"{folder} is a folder: score run folders and captions files in separate commands"
        )
    data = [
        "data=karpathy",
        *([f"data.images={quoted(images)}"] if images else []),
        f"only_with_images={only_with_images}",
    ]
    if leave_one_out:
        if paths:
            raise click.UsageError(
                "--leave-one-out scores people: score captions files in a separate command"
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
        output_options = [f"runs={quoted(folder.parent)}", f"name={quoted(folder.name)}"]
        configs += run_configs([*replayed, *data, *output_options, *overrides], config_dir)
    return evaluate_and_print(configs, is_sweep=not one)


def is_path(argument: str) -> bool:
    """Whether an argument names a file or folder; a file may have a `=` in its name."""
    return Path(argument).exists()


def human_captions(overrides: Sequence[str], config_dir: Path | None) -> Path:
    """A captions file with the references that are held out."""
    import hashlib
    import json

    from evaluator.config.run_config import run_configs
    from evaluator.data.human import held_out_captions
    from evaluator.files.cache_folder import cache_folder

    (config,) = run_configs(
        [*overrides, "model=replay", "model.captions=none", "data.leave_out=null"], config_dir
    )
    captions = [
        {"image_id": item_id, "caption": text}
        for item_id, text in held_out_captions(config.data.load(), 1).items()
    ]
    content = json.dumps(captions).encode()
    path = cache_folder("human") / f"{hashlib.sha256(content).hexdigest()[:16]}.json"
    path.write_bytes(content)
    return path


def rescore(paths: Sequence[Path], overrides: Sequence[str], config_dir: Path | None) -> None:
    """Score run folders again: with the scorers that are typed, else with those they were scored with."""
    from evaluator.comparison.compare import compare
    from evaluator.config.recorded import recorded_scorers
    from evaluator.config.run_config import run_configs
    from evaluator.evaluate import score
    from evaluator.store.run_folder import RunFolder

    (config,) = run_configs(overrides, config_dir)
    chosen = any(override.startswith("scorer") for override in overrides)
    runs = [RunFolder.existing(path).load() for path in paths]
    print_comparison(
        compare(
            [
                score(run, config.scorers if chosen else recorded_scorers(run.config), config.settings)
                for run in runs
            ]
        )
    )
