"""How the numbers were made: each run's model, prompt, options, data, versions and command.

What is the same in all runs is named once, and so is the signature of each metric.
"""

from __future__ import annotations

import json
import shlex
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.comparison.comparison import Comparison, Row
from evaluator.report.redact import redacted
from evaluator.store.manifest import Manifest

# The heading of each group of facts, in their order.
HEADINGS = {"model": "Model", "prompt": "Prompt", "data": "Data", "environment": "Environment"}


@dataclass(frozen=True)
class Fact:
    """An option or a version and its value."""

    group: str
    name: str
    value: str


def shared_facts(comparison: Comparison) -> list[Fact]:
    """The facts that all runs share; none where there is only one run."""
    if len(comparison.rows) < 2:
        return []
    every = [set(facts(row.manifest)) for row in comparison.rows]
    return [fact for fact in facts(comparison.rows[0].manifest) if all(fact in own for own in every)]


def origins(comparison: Comparison) -> list[tuple[str, list[Fact], str]]:
    """For each run its label, the facts that only some runs have, and the command that repeats it."""
    shared = shared_facts(comparison)
    return [
        (row.label, [fact for fact in facts(row.manifest) if fact not in shared], command(row))
        for row in comparison.rows
    ]


def facts(manifest: Manifest) -> list[Fact]:
    """All that a manifest says, without the folders of the machine."""
    entries: list[tuple[str, str, Any]] = []
    for group in ("model", "prompt", "data"):
        entries.append((group, "choice", manifest.choices.get(group)))
        for option, value in manifest.identity.get(group, {}).items():
            # Other empty options are left out, but an empty prompt is worth a line.
            is_empty_prompt = group == "prompt" and option == "text" and not value
            entries.append((group, option, "(empty)" if is_empty_prompt else value))
    ran = manifest.environment
    entries += [("data", "image count", manifest.images), ("data", "digest", manifest.dataset_digest)]
    entries += [("data", part, value) for part, value in manifest.source.items()]
    entries += [
        ("environment", name, value) for name, value in (("machine", ran.machine), *ran.versions.items())
    ]
    entries += [("environment", "git commit", ran.git_commit), ("environment", "started", ran.started)]
    texts = ((group, name, value_text(value)) for group, name, value in entries)
    return [Fact(group, name, redacted(text)) for group, name, text in texts if text]


def value_text(value: Any) -> str:
    """An option's value as it is typed; empty for an option that was left empty."""
    if value is None or value == "" or value == []:
        return ""
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"…/{Path(value).name}" if Path(value).is_absolute() else value


def command(row: Row) -> str:
    """The command that made the run, or one that chooses the same components."""
    typed = row.manifest.environment.command
    if typed and typed[0] in ("run", "score"):
        return f"evaluator {shlex.join(redacted(part) for part in typed)}"
    chosen = (f"{group}={choice}" for group, choice in row.manifest.choices.items())
    return f"evaluator run {shlex.join(chosen)}  # with the options of config.yaml"


def signatures(comparison: Comparison) -> list[tuple[str, str, list[str]]]:
    """Each metric with each of its signatures, and the runs that have it where there are several."""
    labels_of: dict[tuple[str, str], list[str]] = {}
    for metric in comparison.metrics:
        for row in comparison.rows:
            if score := row.score(metric):
                labels_of.setdefault((metric, score.signature), []).append(row.label)
    ways = Counter(metric for metric, _ in labels_of)
    return [
        (metric, redacted(signature), labels if ways[metric] > 1 else [])
        for (metric, signature), labels in labels_of.items()
    ]
