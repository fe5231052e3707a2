"""What earlier runs of a model say about the next one: its speed and the length of its answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from evaluator.core.errors import StoreError
from evaluator.store.counts import images_per_second
from evaluator.store.run import Run

MOST_FOLDERS = 200  # the newest: reading thousands of runs would take longer than the plan is worth


@dataclass(frozen=True)
class PastRun:
    """One run of the same model with the same prompt; None means not known."""

    name: str
    images_per_second: float | None
    input_tokens: float | None  # per image, on average
    output_tokens: float | None


def past_run(runs: Path, identity: Mapping[str, Mapping[str, Any]]) -> PastRun | None:
    """The newest run in the folder `runs` that has answers of this model to this prompt."""
    for folder in newest_first(runs):
        try:
            run = Run(folder)
            if any(run.manifest.identity.get(group) != identity[group] for group in ("model", "prompt")):
                continue
            captions = run.captions.values()
        except StoreError:  # somebody's folder that is no run, or one of another version
            continue
        replies = [each.reply for each in captions if each.source == "model" and each.reply]
        if replies:
            return PastRun(
                folder.name,
                images_per_second(captions),
                mean_of([reply.input_tokens for reply in replies]),
                mean_of([reply.output_tokens for reply in replies]),
            )
    return None


def newest_first(runs: Path) -> list[Path]:
    """The run folders, the one with the latest caption first."""
    if not runs.is_dir():
        return []
    files = [path for path in runs.glob("*/captions.jsonl") if path.is_file()]
    files.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    return [path.parent for path in files[:MOST_FOLDERS]]


def mean_of(values: list[int | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if known else None
