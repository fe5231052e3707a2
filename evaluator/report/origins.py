"""How the numbers were made: each run's model, prompt, options, data, versions and command.

What is the same in all runs is said once, and so is the signature of each metric.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.comparison.compare import Comparison, Row
from evaluator.report.redact import without_folders

# In this order; the groups of the identity are options, the others facts.
GROUPS = {"model": "Model", "prompt": "Prompt", "data": "Data", "environment": "Environment"}


@dataclass(frozen=True)
class Fact:
    """One line of a list: an option or version and its value."""

    group: str
    name: str
    value: str


@dataclass(frozen=True)
class Origin:
    """What one run has of its own, and how to repeat it."""

    label: str
    facts: tuple[Fact, ...]
    command: str


@dataclass(frozen=True)
class Signature:
    """One way in which a metric was computed, and for which runs; none named where for all."""

    metric: str
    signature: str
    labels: tuple[str, ...]


def shared_facts(comparison: Comparison) -> list[Fact]:
    """What is the same in all runs; nothing where there is only one."""
    if len(comparison.rows) < 2:
        return []
    every = [set(facts(row.manifest)) for row in comparison.rows]
    return [fact for fact in facts(comparison.rows[0].manifest) if all(fact in own for own in every)]


def origins(comparison: Comparison) -> list[Origin]:
    shared = set(shared_facts(comparison))
    return [
        Origin(row.label, tuple(fact for fact in facts(row.manifest) if fact not in shared), command(row))
        for row in comparison.rows
    ]


def facts(manifest: Mapping[str, Any]) -> list[Fact]:
    """All that a manifest says, without the folders of the machine."""
    return [
        Fact(group, name, without_folders(text))
        for group, name, value in _entries(manifest)
        if (text := printed(value))
    ]


def _entries(manifest: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    choices, identity = manifest["choices"], manifest["identity"]
    for group in ("model", "prompt", "data"):
        yield group, "choice", choices.get(group)
        for option, value in identity.get(group, {}).items():
            # Of a prompt an empty text says something: the model was told nothing.
            told_nothing = group == "prompt" and option == "text" and not value
            yield group, option, "(empty)" if told_nothing else value
        if group == "data":
            yield group, "image count", manifest.get("images")
            yield group, "digest", manifest.get("dataset_digest")
    yield "environment", "machine", manifest.get("machine")
    yield from (
        ("environment", package, version) for package, version in manifest.get("versions", {}).items()
    )
    yield "environment", "git commit", manifest.get("git_commit")
    yield "environment", "started", manifest.get("started")


def printed(value: Any) -> str:
    """An option's value as it is typed; nothing for what was left empty."""
    if value is None or value == "" or value == []:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"…/{Path(value).name}" if Path(value).is_absolute() else value


def command(row: Row) -> str:
    """The command that made the run, or one that chooses the same components."""
    typed: Sequence[str] = row.manifest.get("command") or ()
    if typed and typed[0] in ("run", "score"):
        return f"evaluator {shlex.join(without_folders(part) for part in typed)}"
    chosen = (f"{group}={choice}" for group, choice in row.manifest["choices"].items())
    return f"evaluator run {shlex.join(chosen)}  # and the options of config.yaml"


def signatures(comparison: Comparison) -> list[Signature]:
    """Every signature of every metric once."""
    found: dict[tuple[str, str], list[str]] = {}
    for metric in comparison.metrics:
        for row in comparison.rows:
            if (score := row.score(metric)).computed:
                found.setdefault((metric, score.signature), []).append(row.label)
    several = {metric for metric, _ in found if sum(name == metric for name, _ in found) > 1}
    return [
        Signature(metric, without_folders(signature), tuple(labels) if metric in several else ())
        for (metric, signature), labels in found.items()
    ]
