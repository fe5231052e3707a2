"""What a choice of conf/ offers: its description and its options, from the YAML file and its dataclass.

The comments of the YAML files are the descriptions, so that they stand in one place.
"""

from __future__ import annotations

import importlib
import re
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Any, get_args, get_origin, get_type_hints

from annotated_types import Ge, Gt, Le, Lt

from evaluator.config.yaml_files import reading_yaml

if TYPE_CHECKING:
    import yaml

NAMES: Mapping[Any, str] = {
    str: "text",
    int: "whole number",
    float: "number",
    bool: "true or false",
    Path: "path",
    NoneType: "null",
    Any: "any value",
}
BOUNDS: Mapping[type, str] = {Ge: "at least", Gt: "above", Le: "at most", Lt: "below"}
PACKAGE = re.compile(r"# @package (?P<name>\S+)")
# Keys that are Hydra's or name a class.
NO_OPTIONS = ("_target_", "defaults", "hydra")


@dataclass(frozen=True)
class Option:
    """One option: its full name as it is typed, its default as YAML, its type in words, its meaning."""

    name: str
    default: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Choice:
    """One choice of a group."""

    description: str
    options: Sequence[Option]


def described(path: Path) -> Choice:
    """The choice in a YAML file of a group. Raises ConfigError where it cannot be read."""
    import yaml

    with reading_yaml(path):
        text = path.read_text(encoding="utf-8")
        lines = text.splitlines()
        comments = [line.lstrip("# ") for line in _leading_comments(lines)]
        root = yaml.compose(text)
        options = (
            tuple(_options(root, lines, option_prefix(path, text), _hints(root)))
            if isinstance(root, yaml.MappingNode)
            else ()
        )
        return Choice("\n".join(comments), options)


def option_names(folders: Iterable[Path]) -> list[str]:
    """The full names of all options in these folders with the layout of conf/, without building anything."""
    import yaml

    names: dict[str, None] = {}
    for folder in folders:
        for path in sorted(folder.glob("config.yaml")) + sorted(folder.glob("*/*.yaml")):
            with reading_yaml(path):
                text = path.read_text(encoding="utf-8")
                root = yaml.compose(text)
            if isinstance(root, yaml.MappingNode):
                names |= dict.fromkeys(_names(root, option_prefix(path, text)))
    return list(names)


def option_prefix(path: Path, text: str) -> str:
    """What the names of the options in a YAML file of a group begin with: `model.`, `scorer.cider.`.

    A scorer's file says it in its first line: several files may have the options of one scorer. Those in
    config.yaml, of every run, are in no group.
    """
    if path.name == "config.yaml":
        return ""
    if package := PACKAGE.match(text):
        return "" if package["name"] == "_global_" else f"{package['name']}."
    return f"{path.parent.name}."


def _names(node: yaml.MappingNode, prefix: str) -> Iterator[str]:
    import yaml

    for key, value in node.value:
        if key.value not in NO_OPTIONS:
            yield prefix + key.value
            if isinstance(value, yaml.MappingNode):
                yield from _names(value, f"{prefix}{key.value}.")


def _leading_comments(lines: Sequence[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("#"):
            return
        if "@package" not in line:
            yield line


def _hints(root: yaml.Node) -> Mapping[str, Any]:
    """The types of the fields of the class that `_target_` names; of Settings where it names none."""
    from evaluator.config.settings import Settings

    pairs = {key.value: value.value for key, value in root.value}
    if "_target_" not in pairs:
        return _typed(Settings)
    module, _, name = pairs["_target_"].rpartition(".")
    return _typed(getattr(importlib.import_module(module), name))


def _typed(cls: type) -> Mapping[str, Any]:
    return get_type_hints(cls, include_extras=True)


def _options(
    node: yaml.MappingNode, lines: Sequence[str], prefix: str, hints: Mapping[str, Any]
) -> Iterator[Option]:
    import yaml

    for key, value in node.value:
        hint = hints.get(key.value)
        if key.value in NO_OPTIONS:
            continue
        if isinstance(value, yaml.MappingNode) and not value.flow_style:
            inner = _typed(hint) if isinstance(hint, type) and is_dataclass(hint) else {}
            yield from _options(value, lines, f"{prefix}{key.value}.", inner)
            continue
        mark = value.end_mark
        above = _comment_above(lines, key.start_mark.line) if key.start_mark.line else ""
        if getattr(value, "style", None) in ("|", ">"):  # a text of several lines, with its comment before it
            default, beside = "a text", lines[value.start_mark.line].partition("#")[2].strip()
        else:
            default = lines[value.start_mark.line][value.start_mark.column : mark.column]
            beside = lines[mark.line][mark.column :].strip().lstrip("# ")
        meaning = "; ".join(filter(None, (above, beside)))
        yield Option(f"{prefix}{key.value}", default, in_words(hint), meaning)


def _comment_above(lines: Sequence[str], line: int) -> str:
    """The comment on the line above an option, where it is not the description of the file."""
    above = lines[line - 1].strip()
    return (
        above.lstrip("# ")
        if above.startswith("#") and not all(each.startswith("#") for each in lines[:line])
        else ""
    )


def in_words(hint: Any) -> str:
    """A type in words.

    >>> from typing import Annotated, Literal
    >>> in_words(Annotated[int, Ge(1)] | None), in_words(Literal["a", "b", "c"]), in_words(tuple[str, ...])
    ('whole number, at least 1, or null', 'a, b or c', 'list of text')
    """
    if hint in NAMES:
        return NAMES[hint]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is typing.Annotated:
        bounds = [
            f"{word} {_number(bound, kind)}"
            for bound in arguments[1:]
            for kind, word in BOUNDS.items()
            if isinstance(bound, kind)
        ]
        return ", ".join([in_words(arguments[0]), *bounds])
    if origin is typing.Literal:
        *others, last = map(str, arguments)
        return f"{', '.join(others)} or {last}" if others else last
    if origin in (typing.Union, UnionType):
        words = [in_words(each) for each in sorted(arguments, key=lambda each: each is NoneType)]
        return (", or " if any("," in word for word in words) else " or ").join(words)
    if origin is not None and issubclass(origin, Mapping):
        return "mapping of options"
    if origin is not None and issubclass(origin, Sequence):
        inner = dict.fromkeys(in_words(each) for each in arguments if each is not ...)
        return f"list of {' and '.join(inner)}" if inner else "list"
    return "mapping of options" if isinstance(hint, type) and is_dataclass(hint) else "value"


def _number(bound: Any, kind: type) -> str:
    return f"{getattr(bound, kind.__name__.lower()):g}"
