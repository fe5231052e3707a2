"""The straight line: load the data, caption what has no caption yet, score, write it all down.

    for config in run_configs(["data=demo", "model=tiny-git", "prompt=none"]):
        results = evaluate(config)

A run folder is all that passes between the steps, so that each can be taken again by itself: the same
command resumes, and whoever deletes scores.json loses nothing that was paid for.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from evaluator.comparison.bootstrap import intervals, with_interval
from evaluator.config.run_config import RunConfig, Settings, recorded_scorers
from evaluator.core import Caption, CorpusDependent, Item, Measurement, Outcome, Results, Score, Scorer
from evaluator.core.errors import ConfigError, DataError, NotComputed
from evaluator.data.human import said_by, without
from evaluator.data.sampling import stratified
from evaluator.scorers.style import audit, normalised
from evaluator.store.provenance import circumstances, description, differences, fingerprint, with_options
from evaluator.store.run_folder import RunFolder, count_outcomes

logger = logging.getLogger(__name__)


def evaluate(config: RunConfig) -> Results:
    """Caption and score one run, resuming what its folder already holds."""
    known = config.data.load()
    items = select(known, config.settings)
    if config.settings.sample:
        config = as_within(known, config)
    run = RunFolder(config.folder)
    with run.ledger() as record:  # before anything is written: one process at a time
        begin(run, config, items)
        caption(run, config, items, record)
    return score(run, config.scorers, config.settings)


def select(items: list[Item], settings: Settings) -> list[Item]:
    """The items that this run is about."""
    if settings.only_with_images:
        items = [item for item in items if item.image and item.image.is_file()]
    if not items:
        raise DataError("there is no image to caption: the data set is empty, or only_with_images left none")
    if settings.sample:
        items = stratified(items, settings.sample, settings.sample_seed)
    return items[: settings.limit]


def as_within(items: Sequence[Item], config: RunConfig) -> RunConfig:
    """The run with scorers that weigh what depends on the data set, CIDEr's words, as within all items."""
    pinned: dict[str, Any] = {
        name: scorer.pinned_to(items, config.choices["data"])
        for name, scorer in config.scorers.items()
        if isinstance(scorer, CorpusDependent) and scorer.depends_on_corpus
    }
    options = {name: {"idf": scorer.idf} for name, scorer in pinned.items()}
    return replace(config, scorers={**config.scorers, **pinned}, yaml=with_options(config.yaml, options))


def begin(run: RunFolder, config: RunConfig, items: Sequence[Item]) -> None:
    """Write down what is about to run. Raises ConfigError where the folder holds a different run."""
    before = run.manifest() if run.captions() else {}
    if before and (changed := differences(before["identity"], config.identity)):
        raise ConfigError(
            f"{run.path} holds a run with other options:\n"
            + "\n".join(f"  {option}: {there!r} there, {now!r} now" for option, there, now in changed)
            + "\nType name=... for a folder of its own, or delete that folder"
        )
    # What the first captions were made on stays written: a repeated command may make none.
    run.begin(description(config, items) | ({} if before else circumstances()), config.yaml, items)


def caption(
    run: RunFolder, config: RunConfig, items: Sequence[Item], record: Callable[[Caption], None]
) -> None:
    """Caption every item that has no final outcome yet, each recorded as soon as it is there."""
    known = run.captions()
    todo = to_caption(items, known)
    there = len(items) - len(todo)
    if there:
        logger.info("%s: %d of %d captions are there already", run.path, there, len(items))
    if todo:
        for warning in config.model.check(config.prompt, items):
            logger.warning("%s", warning)
        if there:
            resumed = run.manifest().get("resumed", [])
            run.update_manifest({"resumed": [*resumed, circumstances()]})
        config.runner.run(config.model, config.prompt, todo, record, run.cost_usd() or 0.0)


def to_caption(items: Sequence[Item], known: Mapping[str, Caption]) -> list[Item]:
    """The items that no final outcome is known of."""
    return [item for item in items if item.id not in known or known[item.id].outcome.can_be_retried]


def score(run: RunFolder, scorers: Mapping[str, Scorer], settings: Settings) -> Results:
    """Score the captions that a run folder holds, unless its scores are already those."""
    items, known = run.items(), run.captions()
    captions = {item.id: known[item.id] for item in items if item.id in known}
    digest = fingerprint(items, captions, scorers, settings)
    if (before := run.results() if run.has_results() else None) and before.fingerprint == digest:
        logger.info("%s: the scores are there already", run.path)
        return before
    texts = {item_id: caption.text for item_id, caption in captions.items() if caption.text is not None}
    if settings.missing == "empty":
        texts = {item_id: texts.get(item_id, "") for item_id in captions}
    scored = [item for item in items if item.id in texts]
    said = [texts[item.id] for item in scored]
    measurements, not_computed = measure(scorers, scored, said)
    if settings.missing == "empty":
        measurements = [replace(one, signature=f"{one.signature}|missing:empty") for one in measurements]
    if settings.normalize != "none":
        changed, _ = measure(scorers, scored, [normalised(text, settings.normalize) for text in said])
        measurements += [of_normalised(measurement, settings.normalize) for measurement in changed]
    bounds = intervals(measurements, settings.resamples, settings.confidence, settings.seed)
    results = Results(
        images=len(items),
        outcomes=count_outcomes(captions),
        scores=(*map(with_interval, measurements, bounds), *not_computed),
        confidence=settings.confidence,
        images_per_second=images_per_second(captions.values()),
        cost_usd=run.cost_usd(),
        style=audit(said, [item.references for item in scored]) if said else None,
        # What could not be computed may be computable the next time: nothing stands for it.
        fingerprint="" if not_computed else digest,
    )
    run.write_results(results, captions, [item.id for item in scored], measurements)
    return results


def scored_on(run: RunFolder, ids: Sequence[str]) -> list[Measurement]:
    """Measure what depends on which images there are, CIDEr by the references at hand, over some of them."""
    items, captions = {item.id: item for item in run.items()}, run.captions()
    scorers = {
        name: scorer
        for name, scorer in recorded_scorers(run.config_yaml()).items()
        if isinstance(scorer, CorpusDependent) and scorer.depends_on_corpus
    }
    texts = [captions[item_id].text or "" for item_id in ids]
    return measure(scorers, [items[item_id] for item_id in ids], texts)[0]


def human_scores(run: RunFolder, ids: Collection[str], metrics: Collection[str]) -> tuple[list[Score], int]:
    """How a person does on some of a run's images by those of its scorers that give these metrics, and on how
    many: the first reference of each image against its others. Raises DataError where no image has two.
    """
    chosen = set(ids)
    known = [item for item in run.items() if item.id in chosen]
    said = said_by(known, 1)
    items = [item for item in without(known, 1) if item.id in said]
    if not items:
        raise DataError(f"{run.path}: no image has two references, one of which could stand for a person")
    recorded = recorded_scorers(run.config_yaml())
    scorers = {name: scorer for name, scorer in recorded.items() if set(scorer.names) & set(metrics)}
    measurements, not_computed = measure(scorers, items, [said[item.id] for item in items])
    return [*map(with_interval, measurements, intervals(measurements)), *not_computed], len(items)


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


def of_normalised(measurement: Measurement, how: str) -> Measurement:
    """The same under a name of its own: it is not a score of what the model said."""
    signature = f"{measurement.signature}|norm:{how}"
    return replace(measurement, name=f"{measurement.name} ({how})", signature=signature)


def images_per_second(captions: Iterable[Caption]) -> float | None:
    """Images captioned in a second of the model's work; None where nothing was captioned here.

    Captions of a batch share its time. Requests are on their way side by side: their time is that in which at
    least one was that brought an answer, a refusal too. So neither the pause before a resumed command counts
    nor a wait in which nothing was asked.

    >>> two_at_once = [Caption(str(i), Outcome.OK, seconds=2.0, answered_at=9.0 + i // 2) for i in range(4)]
    >>> images_per_second(two_at_once)  # from 7 to 10
    1.3333333333333333
    """
    answers = [each for each in captions if each.source == "model" and not each.outcome.can_be_retried]
    made = [each for each in answers if each.outcome is Outcome.OK]
    batches = sum(each.seconds for each in made if each.answered_at is None)
    requests = [(at - each.seconds, at) for each in answers if (at := each.answered_at) is not None]
    seconds = batches + covered(requests)
    return len(made) / seconds if made and seconds else None


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """The length of what spans of (start, end) cover together.

    >>> covered([(5.0, 6.0), (0.0, 2.0), (1.0, 3.0)])
    4.0
    """
    total, reached = 0.0, -math.inf
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
