"""The scorers that a run was scored with, from its config.yaml.

The file may be somebody else's: nothing of theirs is imported, only paths within this package are resolved,
and weights that can carry code stay refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from evaluator.config.components import build
from evaluator.config.compose import package_path
from evaluator.core import Scorer
from evaluator.core.errors import ConfigError
from evaluator.core.kinds import SCORER_CLASSES, kind_of_class_path

# Options that a component does not have any more, with the only value that they may have been given.
RETIRED: Mapping[tuple[str, str], Any] = MappingProxyType({("clipscore", "weight"): 2.5})
# Whether weights may carry code is for this machine's user to say.
NOT_TAKEN_OVER = ("_target_", "safetensors_only")


def recorded_scorers(config: Mapping[str, Any], only_ours: bool = False) -> dict[str, Scorer]:
    """The scorers by their names.

    Raises ConfigError for one that is not part of this package; with `only_ours` such a scorer is left out.
    """
    nodes = config.get("scorer") or {}
    try:
        chosen = {name: node for name, node in nodes.items() if node and node["_target_"]}
        kinds = {name: kind_of_class_path(node["_target_"]) for name, node in chosen.items()}
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(
            f"the run's config.yaml does not say how it was scored ({error!r}). "
            "Type --scorer NAME, or scorer=[...]"
        ) from error
    for name, kind in kinds.items():
        if kind not in SCORER_CLASSES and not only_ours:
            raise ConfigError(
                f"scorer.{name}: the run was scored with {chosen[name]['_target_']}, which is not part of "
                f"this package. If you trust it, type scorer=[{','.join(chosen)}] with --config-dir"
            )
    return {
        name: build({"_target_": SCORER_CLASSES[kinds[name]], **options(kinds[name], node)}, f"scorer.{name}")
        for name, node in chosen.items()
        if kinds[name] in SCORER_CLASSES
    }


def options(kind: str, node: Mapping[str, Any]) -> dict[str, Any]:
    """The recorded options that the component of today takes."""
    return {
        option: _in_package(value)
        for option, value in node.items()
        if option not in NOT_TAKEN_OVER and RETIRED.get((kind, option), _in_use) != value
    }


_in_use = object()


def _in_package(value: Any) -> Any:
    if isinstance(value, str) and (match := re.fullmatch(r"\$\{package:([^${}]+)\}", value)):
        return package_path(match[1])
    return value
