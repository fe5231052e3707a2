"""What identifies a run: the options that can change a caption, and the name that follows from them."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from evaluator.config.settings import Settings
from evaluator.core import Item
from evaluator.core.kinds import kind_of

# The groups whose options can change a caption.
IDENTITY_GROUPS = ("data", "model", "prompt")


def identity(component: Any) -> dict[str, Any]:
    """The kind and the options that can change a caption.

    A file is represented by the hash of its content. Options marked RUNTIME_ONLY are left out, and those that
    are LEFT_OUT_BY_DEFAULT where they have their default.
    """
    options: dict[str, Any] = {"kind": kind_of(component)}
    for field in dataclasses.fields(component):
        value = getattr(component, field.name)
        is_left_out = field.metadata.get("left_out_by_default") and value == field.default
        if field.metadata.get("identity", True) and not is_left_out:
            options[field.name] = _identified(value)
    if content := getattr(component, "content", None):  # what the names among its options stand for
        options["content"] = content
    document: dict[str, Any] = json.loads(json.dumps(options, default=str))
    return document


def _identified(value: Any) -> Any:
    """The value with the hashes of its files, also of those in a sequence of components."""
    if isinstance(value, Path):
        return content_digest(value)
    if isinstance(value, tuple | list):
        return [_options(each) if dataclasses.is_dataclass(each) else each for each in value]
    return value


def _options(component: Any) -> dict[str, Any]:
    fields = dataclasses.fields(component)
    return {field.name: _identified(getattr(component, field.name)) for field in fields}


def content_digest(path: Path) -> str:
    """The hash of a file's content; the path itself where there is no file."""
    if not path.is_file():
        return str(path)
    status = path.stat()
    return "sha256:" + _digest(path, status.st_ino, status.st_mtime_ns, status.st_size)


@cache
def _digest(path: Path, *state: int) -> str:
    """Computed once for each state of a file: several runs have the same annotations."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def default_name(
    choices: Mapping[str, str],
    identities: Mapping[str, Mapping[str, Any]],
    options: Mapping[str, Mapping[str, Any]],
    defaults: Mapping[str, Mapping[str, Any]],
    settings: Settings,
) -> str:
    """data-model-prompt, a short hash of the options that differ from their YAML's defaults, the subset.

    Each subset of the images is a run of its own, so that a smaller command never replaces a larger one.
    """
    name = "-".join(_folder_name(choices[group]) for group in identities)
    changed = {
        f"{group}.{option}": identities[group][option]
        for group in identities
        for option, value in options[group].items()
        if option in identities[group] and value != defaults[group].get(option)
    }
    return "-".join([name, *([short_hash(changed)] if changed else []), *subset(settings)])


def subset(settings: Settings) -> list[str]:
    """The options that choose some of the images, in the order in which they are applied.

    >>> subset(Settings(sample=500, sample_seed=1, limit=20))
    ['sample500', 'seed1', 'first20']
    >>> subset(Settings(shard="3/16"))
    ['shard3of16']
    """
    parts = {
        "with-images": settings.only_with_images,
        f"sample{settings.sample}": settings.sample,
        f"seed{settings.sample_seed}": settings.sample and settings.sample_seed,
        f"first{settings.limit}": settings.limit,
    }
    return [*(part for part, is_set in parts.items() if is_set), *shard_name(settings)]


def shard_name(settings: Settings) -> list[str]:
    """What tells the parts of a run apart; nothing for a whole run."""
    return ["shard{}of{}".format(*settings.shard_index)] if settings.shard_index else []


def is_default_name(name: str, *choices: Sequence[str]) -> bool:
    """Whether a run folder is called as runs are by themselves; `choices` are those of each group.

    >>> is_default_name("demo-git-none-3fa2b1-first20", ["demo"], ["git"], ["none", "own"])
    True
    """
    alternatives = ("|".join(re.escape(_folder_name(one)) for one in group) for group in choices)
    plain = "-".join(f"(?:{group})" for group in alternatives)
    hashed, some = "(-[0-9a-f]{6})?", r"(-with-images)?(-sample\d+)?(-seed\d+)?(-first\d+)?(-shard\d+of\d+)?"
    return re.fullmatch(f"{plain}{hashed}{some}{hashed}", name) is not None


def _folder_name(choice: str) -> str:
    return choice.replace("/", "-")


def short_hash(document: Any) -> str:
    """Six hexadecimal digits that stand for `document`."""
    return hashlib.sha256(json.dumps(document, sort_keys=True, default=str).encode()).hexdigest()[:6]


def dataset_digest(items: Iterable[Item]) -> str:
    """The same of the list of all ids and references, which is never in memory as a whole."""
    hashed, before = hashlib.sha256(), "["
    for item in items:
        hashed.update(f"{before}{json.dumps([item.id, item.references])}".encode())
        before = ", "
    hashed.update(b"]" if before == ", " else b"[]")
    return hashed.hexdigest()[:6]
