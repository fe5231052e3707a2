"""Where a run's numbers come from: what it ran on, and a digest of everything its scores were computed from.

No environment variable and no key ever goes into these.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from itertools import chain

from evaluator.core import Caption, Item
from evaluator.store.manifest import Environment
from evaluator.version import __version__

VERSIONED_PACKAGES = ("numpy", "torch", "transformers", "tokenizers", "pillow", "safetensors")


def environment() -> Environment:
    """What this command runs on and how it was typed."""
    return Environment(
        versions=versions(),
        git_commit=git_commit(),
        machine=f"{platform.system()} {platform.machine()}",
        command=tuple(sys.argv[1:]),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def inputs_digest(items: Sequence[Item], captions: Mapping[str, Caption]) -> str:
    """A digest of the items and their captions: scores with another one are of something else.

    Where the pictures lie does not enter it, so that a baseline, which has no pictures, keeps its scores.
    """
    given = ((item.id, str(len(item.references)), *item.references) for item in items)
    answers = ((each.item_id, each.outcome, each.text or "") for each in captions.values())
    hashed, before = hashlib.sha256(), ""
    for texts in chain(given, answers):
        hashed.update((before + "\0".join(texts)).encode("utf-8", "surrogatepass"))
        before = "\0"
    return hashed.hexdigest()


def versions() -> dict[str, str]:
    """Python's, this program's, and those of the packages that can change a caption or a score."""
    installed = {"evaluator": __version__, "python": platform.python_version()}
    for package in VERSIONED_PACKAGES:
        try:
            installed[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return installed


def git_commit() -> str | None:
    """The commit of the folder that the command is typed in, where there is one."""
    try:
        command = ["git", "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
