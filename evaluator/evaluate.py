"""The straight line: load the data, caption what has no caption yet, score, compare, report.

    runs = [evaluate(config) for config in run_configs(["model=tiny-git,tiny-blip", "data=demo"], sweep=True)]
    write_report(compare(runs), Path("report.html"))

A run folder is all that passes between captioning and scoring, so that each step can be taken again by
itself: the same command resumes, and whoever deletes scores.json loses nothing that was paid for.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from evaluator.audit.effects import with_effects
from evaluator.audit.failure_texts import as_failure
from evaluator.audit.findings import damage
from evaluator.audit.normalizations import normalization
from evaluator.audit.style import audit
from evaluator.comparison.bootstrap import intervals, score_of
from evaluator.comparison.compare import compare
from evaluator.comparison.comparison import Comparison
from evaluator.comparison.gate import DEFAULT_GATES, Regression, parse_gate, regress
from evaluator.config.identity import IDENTITY_GROUPS, short_hash
from evaluator.config.run_config import RunConfig, sweep_folder
from evaluator.config.secret_options import refuse_secrets
from evaluator.config.settings import Settings
from evaluator.core import Caption, CorpusDependent, Dataset, ForData, Item, Results, Scorer
from evaluator.core.errors import ConfigError, DataError
from evaluator.data.known import dataset_name
from evaluator.data.sampling import stratified
from evaluator.files.images import is_file
from evaluator.files.output_files import write_output
from evaluator.report.page.html import write_report
from evaluator.report.text.comparison import write_tables
from evaluator.report.text.experiment import markdown as experiment
from evaluator.scorers.measure import measure, renamed_for_normalization, under_rules
from evaluator.scorers.progress import scoring_progress
from evaluator.store.counts import count_outcomes, images_per_second
from evaluator.store.ledger import Ledger
from evaluator.store.manifest import Manifest
from evaluator.store.provenance import environment, fingerprint
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluation:
    """The comparison of some runs, their report, and the check of each run that has a baseline."""

    comparison: Comparison
    report: Path
    regressions: tuple[Regression, ...] = ()

    @property
    def is_incomplete(self) -> bool:
        """Whether the same command could get more captions."""
        return any(row.results.is_incomplete for row in self.comparison.rows)


def evaluate_all(configs: Sequence[RunConfig], is_sweep: bool | None = None) -> Evaluation:
    """Evaluate some runs, compare them, write the report, and check those that have a baseline.

    The report and the tables of several runs, a sweep, go to a folder of their own.
    """
    is_sweep = len(configs) > 1 if is_sweep is None else is_sweep
    runs: list[Run] = []
    loaded: list[tuple[Dataset, list[Item]]] = []  # a sweep reads its data set once
    for number, config in enumerate(configs, 1):
        logger.info("run %d of %d: %s", number, len(configs), config.folder)
        items = next((items for data, items in loaded if data == config.data), None) or config.data.load()
        loaded.append((config.data, items))
        runs.append(evaluate(config, items))
    comparison = compare(runs)
    folder = sweep_folder(configs) if is_sweep else configs[0].folder
    if is_sweep:
        write_tables(comparison, folder)
        write_output(folder / "experiment.md", experiment(comparison))
    report = write_report(comparison, folder / "report.html")
    regressions = tuple(
        regress(config.settings.baseline, run, list(map(parse_gate, config.settings.gates or DEFAULT_GATES)))
        for config, run in zip(configs, runs, strict=True)
        if config.settings.baseline
    )
    return Evaluation(comparison, report, regressions)


def evaluate(config: RunConfig, data: Sequence[Item] | None = None) -> Run:
    """Caption and score one run, resuming what its folder holds; `data` is its data set, if loaded."""
    refuse_secrets(sys.argv[1:])  # which the manifest holds
    items = config.data.load() if data is None else data
    if isinstance(config.model, ForData):
        config = replace(config, model=config.model.for_data(config.data, items))
    config, items = pin_document_frequencies(config, items), select(items, config.settings)
    folder = RunFolder(config.folder)
    with folder.lock():  # before anything is written: one process at a time
        with folder.appending() as ledger:
            todo = without_final_outcome(items, ledger.before.captions)
            manifest = begin(folder, config, items, todo, ledger)
            caption(config, todo, ledger)
            attempts = ledger.attempts
        run = Run(folder.path, manifest=manifest, items=items, attempts=attempts, config=config.document)
        return score_locked(run, config.scorers, config.settings)


def select(items: Sequence[Item], settings: Settings) -> list[Item]:
    """The items that this run is about."""
    if settings.only_with_images:
        items = [item for item in items if item.image and is_file(item.image)]
    if not items:
        raise DataError("there is no image to caption: the data set is empty, or only_with_images left none")
    if settings.sample:
        items = stratified(items, settings.sample, settings.sample_seed)
    return list(items[: settings.limit])


def pin_document_frequencies(config: RunConfig, items: Sequence[Item]) -> RunConfig:
    """Give scorers of a sample the weights of the whole data set, such as CIDEr's document frequencies."""
    if not config.settings.sample:
        return config
    pinned = {
        name: scorer.pinned_to(items, config.choices["data"])
        for name, scorer in config.scorers.items()
        if isinstance(scorer, CorpusDependent) and scorer.depends_on_corpus
    }
    recorded = dict(config.document["scorer"])
    for name, scorer in pinned.items():
        recorded[name] = recorded[name] | {
            option: getattr(scorer, option) for option in recorded[name] if option != "_target_"
        }
    return replace(
        config, scorers={**config.scorers, **pinned}, document={**config.document, "scorer": recorded}
    )


def begin(
    folder: RunFolder, config: RunConfig, items: Sequence[Item], todo: Sequence[Item], ledger: Ledger
) -> Manifest:
    """Write down what is about to run. Raises ConfigError where the folder holds a different run."""
    manifest = Manifest(
        name=config.name,
        choices={group: config.choices[group] for group in IDENTITY_GROUPS},
        identity=config.identity,
        dataset_digest=short_hash([[item.id, item.references] for item in items]),
        images=len(items),
        dataset=dataset_name(config.choices["data"], config.data),
    )
    before = folder.load().manifest if ledger.before.captions else None
    if before and (changed := before.changed_options(manifest)):
        raise ConfigError(
            f"{folder.path} holds a run with other options:\n"
            + "\n".join(f"  {option}: {there!r} there, {now!r} now" for option, there, now in changed)
            + "\nType name=... for a folder of its own, or delete that folder"
        )
    if before:
        manifest = replace(manifest, environment=before.environment, resumed=before.resumed)
    # A repeated command that makes no caption keeps the environments that captions were made in.
    if todo:
        for warning in config.model.check(config.prompt, items):
            logger.warning("%s", warning)
    if todo or not before:
        manifest = manifest.in_environment(environment())
    folder.begin(manifest, config.document, items)
    if done := len(items) - len(todo):
        logger.info("%s: %d of %d images are captioned already", folder.path, done, len(items))
    return manifest


def caption(config: RunConfig, todo: Sequence[Item], ledger: Ledger) -> None:
    """Caption these items; each caption is recorded at once."""
    if lost := ledger.before.unanswered:
        logger.warning(
            "%s: requests that were in flight when an earlier command was killed: %d. They may have been "
            "billed, so they count with the most that they can have cost",
            *(config.folder, len(lost)),
        )
    if todo:
        spent_usd = ledger.before.cost_usd or 0.0
        config.runner.run(config.model, config.prompt, todo, ledger.record, spent_usd, ledger)


def without_final_outcome(items: Sequence[Item], captions: Mapping[str, Caption]) -> list[Item]:
    """The items that have no final outcome yet."""
    return [item for item in items if item.id not in captions or captions[item.id].outcome.can_be_retried]


def score(run: Run, scorers: Mapping[str, Scorer], settings: Settings) -> Run:
    """Score the captions that a run holds, unless its scores are those of the same captions already.

    Raises StoreError where another process writes to the run.
    """
    with RunFolder(run.path).lock():
        return score_locked(run, scorers, settings)


def score_locked(run: Run, scorers: Mapping[str, Scorer], settings: Settings) -> Run:
    """The same for who has the folder's lock."""
    captions = run.captions_of_items
    digest = fingerprint(run.items, captions, scorers, settings)
    if run.has_scores_of(digest):
        logger.info("%s: the scores are up to date", run.path)
        return run
    findings = damage(run.items, captions, settings.refusals == "missing")
    if settings.refusals == "missing":
        captions = {item_id: as_failure(caption) for item_id, caption in captions.items()}
    texts = {item_id: caption.text for item_id, caption in captions.items() if caption.text is not None}
    if settings.missing == "empty":
        texts = {item_id: texts.get(item_id, "") for item_id in captions}
    items = [item for item in run.items if item.id in texts]
    to_score, references = [texts[item.id] for item in items], [item.references for item in items]
    with scoring_progress(len(to_score)) as begin:
        measurements, not_computed = measure(scorers, items, to_score, begin)
        scores = {measurement.name: measurement.value for measurement in measurements}
        findings = with_effects(findings, scorers, items, to_score, scores)
        if settings.normalize != "none":
            how = normalization(settings.normalize, to_score, references)
            changed, _ = measure(scorers, items, list(map(how, to_score)), begin)
            measurements += [renamed_for_normalization(one, how.name, how.removed) for one in changed]
        measurements = [under_rules(one, settings.unusual_rules) for one in measurements]
        begin("intervals")
        bounds = intervals(measurements, settings.resamples, settings.confidence, settings.seed)
    results = Results(
        images=len(run.items),
        outcomes=count_outcomes(captions.values()),
        scores=tuple(map(score_of, measurements, bounds)),
        not_computed=tuple(not_computed),
        confidence=settings.confidence,
        images_per_second=images_per_second(captions.values()),
        cost_usd=run.attempts.cost_usd,
        style=audit(to_score, references) if to_score else None,
        findings=findings,
        # What could not be computed may be computable the next time: such scores are never up to date.
        fingerprint="" if not_computed else digest,
    )
    ids = [item.id for item in items]
    run = run.scored(results, ids, measurements)
    RunFolder(run.path).write_results(run)
    return run
