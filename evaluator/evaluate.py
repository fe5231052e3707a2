"""The straight line: load the data, caption what has no caption yet, score, write it all down.

    for config in run_configs(["data=demo", "model=demo-git", "prompt=none"]):
        results = evaluate(config)

A run folder is all that passes between the steps, so that each can be taken again by itself: the same
command resumes, and whoever deletes scores.json loses nothing that was paid for.
"""

from __future__ import annotations

import hashlib
import json
import logging
import math
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

from evaluator import __version__
from evaluator.config import IDENTITY_GROUPS, RunConfig, Settings, identity, short_hash
from evaluator.core import Caption, Item, Measurement, Outcome, Results, Score, Scorer
from evaluator.errors import ConfigError, DataError, NotComputed
from evaluator.significance import intervals
from evaluator.store import RunFolder, count_outcomes

logger = logging.getLogger(__name__)

VERSIONED_PACKAGES = ("numpy", "torch", "transformers", "tokenizers", "pillow", "safetensors")


def evaluate(config: RunConfig) -> Results:
    """Caption and score one run, resuming what its folder already holds."""
    items = select(config.data.load(), config.settings)
    run = RunFolder(config.folder)
    begin(run, config, items)
    caption(run, config, items)
    return score(run, config.scorers, config.settings)


def select(items: list[Item], settings: Settings) -> list[Item]:
    """The items that this run is about."""
    if settings.only_with_images:
        items = [item for item in items if item.image and item.image.is_file()]
    if not items:
        raise DataError("there is no image to caption: the data set is empty, or only_with_images left none")
    return items[: settings.limit]


def begin(run: RunFolder, config: RunConfig, items: Sequence[Item]) -> None:
    """Write down what is about to run. Raises ConfigError where the folder holds a different run."""
    if run.exists() and (changed := differences(run.manifest()["identity"], config.identity)):
        raise ConfigError(
            f"{run.path} holds a run with other options:\n"
            + "\n".join(f"  {option}: {before!r} there, {now!r} now" for option, before, now in changed)
            + "\nType name=... for a folder of its own, or delete that folder"
        )
    run.begin(manifest(config, items), config.yaml, items)


def caption(run: RunFolder, config: RunConfig, items: Sequence[Item]) -> None:
    """Caption every item that has no final outcome yet, each recorded as soon as it is there."""
    with run.ledger() as record:
        known = run.captions()
        todo = [item for item in items if item.id not in known or known[item.id].outcome.can_be_retried]
        if len(todo) < len(items):
            logger.info(
                "%s: %d of %d captions are there already", run.path, len(items) - len(todo), len(items)
            )
        if todo:
            for warning in config.model.check(config.prompt, items):
                logger.warning("%s", warning)
            config.runner.run(config.model, config.prompt, todo, record)


def score(run: RunFolder, scorers: Mapping[str, Scorer], settings: Settings) -> Results:
    """Score the captions that a run folder holds, unless its scores are already those."""
    items, captions = run.items(), run.captions()
    captions = {item.id: captions[item.id] for item in items if item.id in captions}
    fingerprint = fingerprint_of(items, captions, scorers, settings)
    if run.has_results() and (before := run.results()).fingerprint == fingerprint:
        logger.info("%s: the scores are there already", run.path)
        return before
    scored = [(item, text) for item in items if (text := text_of(captions.get(item.id))) is not None]
    measurements, not_computed = measure(scorers, [item for item, _ in scored], [text for _, text in scored])
    bounds = intervals(measurements, settings.resamples, settings.confidence, settings.seed)
    results = Results(
        images=len(items),
        outcomes=count_outcomes(captions),
        scores=(
            *(
                Score(
                    name=measurement.name,
                    value=measurement.value,
                    low=interval.low,
                    high=interval.high,
                    signature=measurement.signature,
                    higher_is_better=measurement.higher_is_better,
                    images=int(measurement.scored.sum()),
                )
                for measurement, interval in zip(measurements, bounds, strict=True)
            ),
            *not_computed,
        ),
        confidence=settings.confidence,
        images_per_second=images_per_second(captions.values()),
        cost_usd=cost_usd(captions.values()),
        fingerprint=fingerprint,
    )
    run.write_results(results, captions, [item.id for item, _ in scored], measurements)
    return results


def measure(
    scorers: Mapping[str, Scorer], items: Sequence[Item], captions: Sequence[str]
) -> tuple[list[Measurement], list[Score]]:
    """What could be measured, and for the rest a score that says why not. No scorer stops another."""
    measurements: list[Measurement] = []
    not_computed: list[Score] = []
    for scorer in scorers.values():
        found: dict[str, Measurement] = {}
        try:
            if not captions:
                raise NotComputed("no image has a caption")
            found = {measurement.name: measurement for measurement in scorer.score(items, captions)}
            reason = "no image could be scored"
        except NotComputed as error:
            reason = str(error)
            logger.warning("%s not computed: %s", ", ".join(scorer.names), reason)
        for name in scorer.names:
            if name in found and math.isfinite(found[name].value):
                measurements.append(found[name])
            else:
                not_computed.append(Score(name, reason=reason))
    return measurements, not_computed


def text_of(caption: Caption | None) -> str | None:
    return caption.text if caption else None


def images_per_second(captions: Iterable[Caption]) -> float | None:
    """Images captioned in a second of model time; None where nothing was captioned here."""
    made = [caption for caption in captions if caption.outcome is Outcome.OK and not caption.cached]
    seconds = sum(caption.seconds for caption in made)
    return len(made) / seconds if seconds else None


def cost_usd(captions: Iterable[Caption]) -> float | None:
    """What the captions cost; None where no price is known."""
    costs = [caption.cost_usd for caption in captions if caption.cost_usd is not None]
    return sum(costs) if costs else None


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Each option of data, model or prompt that differs: its full name, its value before and now."""
    return [
        (f"{group}.{option}", before.get(group, {}).get(option), now[group].get(option))
        for group in now
        for option in sorted(before.get(group, {}).keys() | now[group].keys())
        if before.get(group, {}).get(option) != now[group].get(option)
    ]


def fingerprint_of(
    items: Sequence[Item],
    captions: Mapping[str, Caption],
    scorers: Mapping[str, Scorer],
    settings: Settings,
) -> str:
    """A digest of everything that the scores come from."""
    digest = hashlib.sha256()
    parts: list[Any] = [
        __version__,
        [settings.resamples, settings.confidence, settings.seed],
        {name: identity(scorer) for name, scorer in scorers.items()},
        [[item.id, str(item.image), item.references] for item in items],
        [[caption.item_id, caption.outcome, caption.text, caption.seconds] for caption in captions.values()],
    ]
    for part in parts:
        digest.update(json.dumps(part, sort_keys=True, default=str).encode())
    return digest.hexdigest()


def manifest(config: RunConfig, items: Sequence[Item]) -> dict[str, Any]:
    """What the run ran on, for those who want to repeat it. No environment, no keys."""
    versions = {"evaluator": __version__, "python": platform.python_version()}
    for package in VERSIONED_PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "name": config.name,
        "choices": {group: config.choices[group] for group in IDENTITY_GROUPS},
        "identity": config.identity,
        "dataset_digest": short_hash([[item.id, item.references] for item in items]),
        "images": len(items),
        "versions": versions,
        "git_commit": git_commit(),
        "machine": f"{platform.system()} {platform.machine()}",
        "command": sys.argv[1:],
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def git_commit() -> str | None:
    """The commit of the folder that the command is typed in, where there is one."""
    try:
        command = ["git", "rev-parse", "--short", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=5).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
