"""A choice of a group in conf/ by its name, as the model that a judge is made of."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any

from evaluator.config.components import build_for_group, component_class
from evaluator.config.compose import composed_choice
from evaluator.config.yaml_files import reading_yaml
from evaluator.core.errors import ConfigError

SUFFIXES = (".yaml", ".yml")


def choice_options(group: str, choice: str, config_dir: Path | None) -> dict[str, Any]:
    """The options in the YAML of a choice, or in a YAML file whose path is given. Raises ConfigError."""
    if not choice.endswith(SUFFIXES):
        return composed_choice(group, choice, config_dir)
    import yaml

    path = Path(choice)
    if not path.is_file():
        raise ConfigError(f"{group}: there is no file {path}")
    with reading_yaml(path):
        options = yaml.safe_load(path.read_text(encoding="utf-8"))
    if not isinstance(options, dict):
        raise ConfigError(f"{group}: {path} is not a mapping of options. See conf/{group}/ for examples")
    return options


def component_of_choice(
    group: str, choice: str, options: Mapping[str, Any], config_dir: Path | None, name: str
) -> Any:
    """The component of a choice with some options of its own; `name` is theirs in messages."""
    return build_for_group({**composed_choice(group, choice, config_dir), **options}, name, group)


def with_single_choices(
    name: str, node: Mapping[str, Any], config_dir: Path | None
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The node once for each combination of the choices that it lists, with names of their own.

    A component whose options name choices (`choice_of`) also learns where to look for them.
    """
    options = dataclasses.fields(component_class(node, f"scorer.{name}"))
    choosing = [option.name for option in options if "choice_of" in option.metadata]
    if not choosing:
        yield name, node
        return
    node = {**node, "config_dir": config_dir}
    listed = {option: node[option] for option in choosing if isinstance(node.get(option), list)}
    if empty := next((option for option, choices in listed.items() if not choices), None):
        raise ConfigError(f"scorer.{name}.{empty}: the list is empty")
    for chosen in product(*listed.values()):
        yield "-".join([name, *map(str, chosen)]), {**node, **dict(zip(listed, chosen, strict=True))}
