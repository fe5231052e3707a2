"""What runs are called beside each other: as short as tells them apart."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from evaluator.config.identity import IDENTITY_GROUPS, is_default_name
from evaluator.config.prompts import prompt_folder_parts
from evaluator.core.errors import ConfigError
from evaluator.store.run import Run


def labels(
    runs: Sequence[Run], paths: Sequence[Path] = (), names: Mapping[str, str] | None = None
) -> list[str]:
    """The first kind of name that tells all runs apart, the most readable kind first; or the name in `names`.

    Raises ConfigError for names that fit no run, several runs, or that two runs would share.
    """
    found = own_labels(runs, paths)
    paths = paths or [run.path for run in runs]
    chosen: dict[int, str] = {}
    for key, name in (names or {}).items():
        known = [(str(path), run.name, label) for path, run, label in zip(paths, runs, found, strict=True)]
        fitting = [index for index, all_names in enumerate(known) if key.rstrip("/") in all_names]
        if len(fitting) != 1:
            raise ConfigError(
                f"{key!r} is the name of {'several runs' if fitting else 'no run'}: type one of "
                f"{', '.join(str(path) for path in paths)}"
            )
        chosen[fitting[0]] = name
    named = [chosen.get(index, label) for index, label in enumerate(found)]
    for name in named:
        if not name.strip() or named.count(name) > 1:
            raise ConfigError(f"{name!r} cannot be the name of a run: names must differ, and not be empty")
    return named


def own_labels(runs: Sequence[Run], paths: Sequence[Path]) -> list[str]:
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
