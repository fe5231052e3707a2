"""Where a run's numbers come from: what it ran on, what was asked of it, what its scores were computed from.

Everything here goes into manifest.json and scores.json. No environment variable and no key ever does.
"""

from __future__ import annotations

import hashlib
import json
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from evaluator.config.run_config import IDENTITY_GROUPS, RunConfig, Settings, identity, short_hash
from evaluator.core import Caption, Item, Outcome, Scorer
from evaluator.version import __version__

VERSIONED_PACKAGES = ("numpy", "torch", "transformers", "tokenizers", "pillow", "safetensors")


def description(config: RunConfig, items: Sequence[Item]) -> dict[str, Any]:
    """What was asked for: the options that decide what a caption says, and the data's digest."""
    return {
        "name": config.name,
        "choices": {group: config.choices[group] for group in IDENTITY_GROUPS},
        "identity": config.identity,
        "dataset_digest": short_hash([[item.id, item.references] for item in items]),
        "images": len(items),
    }


def circumstances() -> dict[str, Any]:
    """What it runs on and how it was asked for, for those who want to repeat it."""
    return {
        "versions": versions(),
        "git_commit": git_commit(),
        "machine": f"{platform.system()} {platform.machine()}",
        "command": sys.argv[1:],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Each option of data, model or prompt that differs: its full name, its value before and now."""
    return [
        (f"{group}.{option}", before.get(group, {}).get(option), now[group].get(option))
        for group in now
        for option in sorted(before.get(group, {}).keys() | now[group].keys())
        if before.get(group, {}).get(option) != now[group].get(option)
    ]


def fingerprint(
    items: Sequence[Item],
    captions: Mapping[str, Caption],
    scorers: Mapping[str, Scorer],
    settings: Settings,
) -> str:
    """A digest of everything that the scores come from: while it stays, they need not be computed again."""
    parts: list[Any] = [
        __version__,
        [settings.resamples, settings.confidence, settings.seed, settings.normalize, settings.missing],
        {name: identity(scorer) for name, scorer in scorers.items()},
        [[item.id, str(item.image), item.references] for item in items],
        # The time of a failure counts nowhere, and another attempt takes another.
        [
            [each.item_id, each.outcome, each.text, each.seconds if each.outcome is Outcome.OK else 0.0]
            for each in captions.values()
        ],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def with_options(text: str, scorers: Mapping[str, Mapping[str, Any]]) -> str:
    """A run's config.yaml with these options of these scorers.

    >>> print(with_options("scorer: {cider: {idf: corpus}}", {"cider": {"idf": "val2017"}}), end="")
    scorer:
      cider:
        idf: val2017
    """
    import yaml

    document = yaml.safe_load(text)
    for name, options in scorers.items():
        document["scorer"][name] |= options
    return yaml.safe_dump(document, sort_keys=False)


def versions() -> dict[str, str]:
    """Python's, this program's, and those of the packages that can change a caption or a score."""
    found = {"evaluator": __version__, "python": platform.python_version()}
    for package in VERSIONED_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def git_commit() -> str | None:
    """The commit of the folder that the command is typed in, where there is one."""
    try:
        command = ["git", "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
