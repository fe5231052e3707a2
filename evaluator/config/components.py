"""A YAML node -> the frozen dataclass that it names, each option checked against its field by pydantic.

An error names the option in full:

    >>> build({"_target_": "evaluator.core.Prompt", "name": "none", "xy": "a"}, "prompt")
    Traceback (most recent call last):
    evaluator.core.errors.ConfigError: prompt.xy: there is no such option. Options: name, text, system, shots
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from evaluator.core.errors import ConfigError
from evaluator.core.spelling import did_you_mean

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# What a component of each group must have, by the protocols in core.
ABILITIES = {
    "data": ("load",),
    "model": ("check", "open"),
    "prompt": ("name", "text", "system", "shots"),
    "scorer": ("names", "score"),
    "generator": ("check", "open"),
    "runner": ("run",),
}

# What else to type where an option is missing.
INSTEAD: Mapping[str, str] = {
    "data.annotations": ", or for pictures without a file of references data=folder data.images=DIR"
}


def build_for_group(node: Mapping[str, Any] | None, name: str, group: str) -> Any:
    """A component of a group. Raises ConfigError where it lacks what the group needs."""
    component = build(node, name)
    if missing := [ability for ability in ABILITIES[group] if not hasattr(component, ability)]:
        raise ConfigError(
            f"{name}._target_: {type(component).__qualname__} is not a {group}: it lacks {', '.join(missing)}"
        )
    return component


def build(node: Mapping[str, Any] | None, name: str) -> Any:
    """An instance of the dataclass that `_target_` names, each option checked against its field."""
    component = component_class(node, name)
    options = {key: value for key, value in (node or {}).items() if key != "_target_"}
    return validated(component, options, name)


def component_class(node: Mapping[str, Any] | None, name: str) -> type:
    """The dataclass that `_target_` names. Raises ConfigError."""
    target = (node or {}).get("_target_")
    if node is None or not isinstance(target, str):
        raise ConfigError(f"{name}: it has no _target_, so there is nothing to build. See conf/ for examples")
    module_name, _, class_name = target.rpartition(".")
    try:
        component = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise ConfigError(f"{name}._target_: cannot import {target!r} ({error})") from error
    if not (isinstance(component, type) and is_dataclass(component)):
        raise ConfigError(f"{name}._target_: {target!r} is not a dataclass, and only those are built")
    return component


def validated(component: type, options: Mapping[str, Any], name: str) -> Any:
    """An instance with these options. Raises ConfigError naming the first option that is wrong."""
    from pydantic import ValidationError

    prefix = f"{name}." if name else ""
    names = [field.name for field in dataclasses.fields(component) if field.init]
    for option in options:
        if option not in names:
            meant = did_you_mean(str(option), names)  # YAML has keys that are no text
            raise ConfigError(
                f"{prefix}{option}: there is no such option.{meant} Options: {', '.join(names)}"
            )
    for option, value in options.items():
        if value == "???":
            instead = INSTEAD.get(f"{prefix}{option}", "")
            raise ConfigError(f"{prefix}{option}: it has no default. Type {prefix}{option}=...{instead}")
    hints = get_type_hints(component, include_extras=True)
    inner = {option: _nested(hints[option], value, f"{prefix}{option}") for option, value in options.items()}
    for option, value in inner.items():
        if _is_no_number(value) and not _takes_any(hints[option], (bool, Any, object)):
            raise ConfigError(f"{prefix}{option}: {value!r}: {_expected(hints[option])}")
    try:
        return _checks(component).validate_python(inner)
    except ValidationError as error:
        first, *others = error.errors()
        option = str(first["loc"][0])
        where = ".".join(
            str(part) for part in first["loc"] if not str(part).startswith(("function-", "nullable"))
        )
        complaint = _complaint(first["type"], first["msg"])
        if any(other["loc"][0] == option and other["input"] is first["input"] for other in others):
            where, complaint = option, _expected(hints[option])  # it fits none of several types
        raise ConfigError(f"{prefix}{where}: {first['input']!r}: {complaint}") from None


def _is_no_number(value: Any) -> bool:
    """Whether a value would be taken for a number, and is none that anybody means: true, inf or nan."""
    return isinstance(value, bool) or (isinstance(value, float) and not math.isfinite(value))


def _takes_any(hint: Any, types: Sequence[Any]) -> bool:
    """Whether one of these types is a part of the type of a field."""
    return hint in types or any(_takes_any(each, types) for each in get_args(hint))


def _expected(hint: Any) -> str:
    from evaluator.config.described import in_words

    return f"expected {in_words(hint)}"


@cache
def _checks(component: type) -> TypeAdapter[Any]:
    """The checks of a dataclass by pydantic, which take some milliseconds to make."""
    from pydantic import TypeAdapter

    return TypeAdapter(component)


def _nested(hint: Any, value: Any, name: str) -> Any:
    """A dataclass within a component, or several of them by name, built from its options."""
    if not isinstance(value, Mapping):
        return value
    if isinstance(hint, type) and is_dataclass(hint):
        return validated(hint, value, name)
    if get_origin(hint) is Mapping and is_dataclass(each := get_args(hint)[1]):
        return {key: _nested(each, options, f"{name}.{key}") for key, options in value.items()}
    return value


def _complaint(kind: str, message: str) -> str:
    plain = {
        "int_parsing": "is not an integer",
        "int_type": "is not an integer",
        "int_from_float": "is not a whole number",
        "float_parsing": "is not a number",
        "float_type": "is not a number",
        "bool_parsing": "is neither true nor false",
        "bool_type": "is neither true nor false",
        "string_type": "is not a text; put it in quotes",
        "path_type": "is not a path",
        "dataclass_type": "is not a mapping of options, such as {option: value}",
        "missing": "is required",
    }
    return plain.get(kind, message[:1].lower() + message[1:])
