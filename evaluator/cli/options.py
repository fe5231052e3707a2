"""Arguments that several commands take."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evaluator.cli.console import WIDE, warn

if TYPE_CHECKING:
    from evaluator.config.run_config import RunConfig


def importable(context: click.Context, parameter: click.Parameter, config_dir: Path | None) -> Path | None:
    """Let YAML files in --config-dir name classes of modules in the working folder."""
    if config_dir and str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    return config_dir


def remember_wide(context: click.Context, parameter: click.Parameter, wide: bool) -> None:
    """Tables are printed far below the command: click's context carries the choice to them."""
    context.meta[WIDE] = wide


OVERRIDES = click.argument("overrides", nargs=-1)
CONFIG_DIR = click.option(
    "--config-dir",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    callback=importable,
    help="A folder with your own YAML files in model/, prompt/, data/ or scorer/.",
)
PROMPT = click.option(
    "--prompt", "prompts", multiple=True, metavar="TEXT", help="A prompt of your own; repeat it for several."
)
PROMPT_FILE = click.option(
    "--prompt-file",
    "prompt_files",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The same from a UTF-8 text file.",
)
FOR_MODEL = click.option(
    "--set",
    "for_model",
    multiple=True,
    metavar="MODEL:OPTION=VALUE",
    help="An option for one of several models, such as gemini:prompt=detailed.",
)


@dataclass(frozen=True)
class RunOptions:
    """What names runs besides their overrides."""

    config_dir: Path | None
    prompts: tuple[str, ...]
    prompt_files: tuple[Path, ...]
    for_model: tuple[str, ...]

    def configs(self, overrides: tuple[str, ...] | list[str], sweep: bool | None) -> list[RunConfig]:
        """The runs; several prompts make several runs, whatever `sweep` says."""
        from evaluator.config.prompts import prompt_from_file, typed_prompt
        from evaluator.config.run_config import run_configs

        configs = run_configs(
            overrides,
            self.config_dir,
            sweep,
            prompts=[*map(typed_prompt, self.prompts), *map(prompt_from_file, self.prompt_files)],
            for_model=self.for_model,
        )
        warn(demo_model_notes(config for config in configs if config.choices["data"] != "demo"))
        return configs


def demo_model_notes(configs: Iterable[RunConfig]) -> list[str]:
    """Said where a model of the demo, which is the default, gets pictures that are not the demo's."""
    chosen = dict.fromkeys(config.choices["model"] for config in configs)
    return [
        f"{model} knows only the demo's drawn scenes. Type another model, such as model=git; `evaluator list "
        "models` shows all"
        for model in chosen
        if model.startswith("tiny-")
    ]


def run_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The command takes --prompt, --prompt-file, --set and --config-dir, as one `RunOptions`."""

    @functools.wraps(function)
    def command(
        *,
        config_dir: Path | None,
        prompts: tuple[str, ...],
        prompt_files: tuple[Path, ...],
        for_model: tuple[str, ...],
        **others: Any,
    ) -> Any:
        return function(options=RunOptions(config_dir, prompts, prompt_files, for_model), **others)

    for option in (CONFIG_DIR, FOR_MODEL, PROMPT_FILE, PROMPT):
        command = option(command)
    return command


WIDE_TABLE = click.option(
    "--wide",
    is_flag=True,
    expose_value=False,
    callback=remember_wide,
    help="Print each table in one piece, however wide. Else it continues below what the terminal can hold.",
)
RANK_BY = click.option(
    "--rank-by",
    metavar="METRIC",
    help="The metric that decides the order and the verdict; by default CIDEr, unless captions are much "
    "longer than the references.",
)
SEED = click.option("--seed", type=int, default=0, show_default=True, help="Seed of the bootstrap.")


def format_option(*forms: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--format, passed as `form`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(forms),
        default="table",
        show_default=True,
        help="What is printed.",
    )


def output_option(default: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """--output, the file that the command writes."""
    return click.option(
        "--output",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path(default),
        show_default=True,
        help="The file to write.",
    )


def resamples_option(least: int = 1) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    return click.option(
        "--resamples",
        type=click.IntRange(least),
        default=1000,
        show_default=True,
        help="Bootstrap resamples behind each interval.",
    )


PICTURE_FOLDERS = click.option(
    "--images",
    "picture_folders",
    multiple=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Show pictures that lie below this folder, also of runs that were made on another machine; may be "
    "repeated.",
)
VOTES = click.option(
    "--votes",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Show ratings by the votes in this file; may be repeated. Default: the files votes.jsonl and "
    "votes-*.jsonl beside the runs.",
)
