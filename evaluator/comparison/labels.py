"""What runs are called beside each other: as short as tells them apart."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from evaluator.config.identity import IDENTITY_GROUPS, is_default_name
from evaluator.config.prompts import prompt_folder_parts
from evaluator.store.run import Run


def labels(runs: Sequence[Run], paths: Sequence[Path] = ()) -> list[str]:
    """The first kind of name that tells all runs apart, the most readable kind first."""
    for candidates in (by_choices(runs), [run.name for run in runs]):
        if len(set(candidates)) == len(candidates):
            return candidates
    return without_common_folder([str(path) for path in paths or [run.path for run in runs]])


def by_choices(runs: Sequence[Run]) -> list[str]:
    """The model, with data and prompt where these differ; the folder's name where the user chose it."""
    choices = [run.manifest.choices for run in runs]
    differing = [
        group
        for group in IDENTITY_GROUPS
        if group == "model" or len({choice[group] for choice in choices}) > 1
    ]
    return [
        " ".join(choice[group] for group in differing) if has_default_name(run) else run.name
        for run, choice in zip(runs, choices, strict=True)
    ]


def has_default_name(run: Run) -> bool:
    """Whether the folder is called as runs are by themselves, not as the user typed."""
    choices = run.manifest.choices
    prompts = prompt_folder_parts(choices["prompt"], run.manifest.identity.get("prompt", {}).get("name"))
    return is_default_name(run.name, [choices["data"]], [choices["model"]], prompts)


def without_common_folder(paths: Sequence[str]) -> list[str]:
    """The part of each path that they do not share: a label shows no more folders than it must.

    >>> without_common_folder(["/home/ada/mon/git", "/home/ada/tue/git"])
    ['mon/git', 'tue/git']
    """
    absolute = [os.path.abspath(path) for path in paths]
    start = os.path.commonpath(absolute)
    return [os.path.relpath(path, start) for path in absolute]
