"""The scorers that a run was scored with, from its config.yaml.

The file may be somebody else's. Only the scorers of this package are built. What names a program, a folder, a
checkpoint or a table, or how much of this machine is used, comes from this installation: from a recorded
config such options have their defaults, unless they name a file within this package or a table in the cache.
"""

from __future__ import annotations

import dataclasses
import logging
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Any

from evaluator.config.components import build
from evaluator.config.compose import PACKAGE
from evaluator.core import Scorer
from evaluator.core.errors import ConfigError
from evaluator.core.kinds import SCORER_CLASSES, kind_of_class_path, scorer_class

# Options that a component does not have any more, with the only value that they may have been given.
RETIRED: Mapping[tuple[str, str], Any] = MappingProxyType({("clipscore", "weight"): 2.5})
_WITHIN_PACKAGE = re.compile(r"\$\{package:((?:[\w-]+/)*[\w-]+(?:\.\w+)?)\}")

# Never taken from a recorded config: what asks a model, since its answers cost money and its address may be
# somebody else's, and marks by hand, which lie in a file of who gave them. Their scores in the run folder are
# kept.
ASKING, MARKS = frozenset({"judge", "regeneration"}), "marks"

logger = logging.getLogger(__name__)


def recorded_scorers(config: Mapping[str, Any], kinds: Collection[str] | None = None) -> dict[str, Scorer]:
    """The scorers by their names; with `kinds` only those of these kinds.

    Raises ConfigError for one that is not part of this package, and for an option that is out of bounds.
    """
    nodes = config.get("scorer") or {}
    try:
        chosen = {str(name): dict(node) for name, node in nodes.items() if node and node["_target_"]}
        kind_of = {name: kind_of_class_path(node["_target_"]) for name, node in chosen.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(
            f"the run's config.yaml does not say how it was scored ({type(error).__name__}: "
            f"{str(error)[:100]}). Type --scorer NAME, or scorer=[...]"
        ) from error
    for name, kind in kind_of.items():
        if kind not in SCORER_CLASSES and kinds is None:
            raise ConfigError(
                f"scorer.{name}: the run was scored with {str(chosen[name]['_target_'])[:200]}, which is not "
                f"part of this package. If you trust it, type scorer=[{','.join(chosen)}] with --config-dir"
            )
    wanted = SCORER_CLASSES.keys() if kinds is None else SCORER_CLASSES.keys() & kinds
    for name, kind in kind_of.items():
        if kind in ASKING & wanted:
            logger.info(
                "a %s is never taken from a run's config.yaml. Type scorer=[...,%s] to ask it", kind, name
            )
    return {
        name: build(options(kind_of[name], node, f"scorer.{name}"), f"scorer.{name}")
        for name, node in chosen.items()
        if kind_of[name] in wanted - ASKING - {MARKS}
    }


def options(kind: str, node: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What is built: the class of today, and the recorded options that may be taken over."""
    fields = {field.name: field for field in dataclasses.fields(scorer_class(kind))}
    built: dict[str, Any] = {"_target_": SCORER_CLASSES[kind]}
    for option, value in node.items():
        if option == "_target_" or RETIRED.get((kind, option), _in_use) == value:
            continue
        field = fields.get(option)
        may_be_taken = field.metadata.get("recorded", True) if field else True
        if may_be_taken(value) if callable(may_be_taken) else may_be_taken:
            built[option] = short(value, f"{name}.{option}")
        elif ours := within_package(value):
            built[option] = ours
        elif field and value != field.default:
            # Those that cannot change a score need no word.
            level = logging.WARNING if field.metadata.get("identity", True) else logging.DEBUG
            logger.log(
                level,
                "%s.%s: the run's config.yaml names %.100r, which is not taken from a recorded config: %r is "
                "used. Type %s.%s=... to say which",
                *(name, option, value, field.default, name, option),
            )
    return built


def short(value: Any, name: str) -> Any:
    """The value of an option: a number or a short text. Raises ConfigError for anything larger."""
    if value is None or isinstance(value, int | float) or (isinstance(value, str) and len(value) <= 1000):
        return value
    raise ConfigError(f"{name}: the run's config.yaml holds neither a number nor a short text")


_in_use = object()


def within_package(value: Any) -> str | None:
    """The path of a file of this package that `${package:...}` names; None for anything else.

    >>> within_package("${package:../secret}"), within_package("${oc.env:HOME}")
    (None, None)
    """
    match = _WITHIN_PACKAGE.fullmatch(value) if isinstance(value, str) else None
    return str(PACKAGE / match[1]) if match else None
