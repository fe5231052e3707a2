"""The straight line: load the data, caption what has no caption yet, score, compare, report.

    runs = [evaluate(config) for config in run_configs(["model=tiny-git,tiny-blip", "data=demo"], sweep=True)]
    write_report(compare(runs), Path("report.html"))

A run folder is all that passes between captioning and scoring, so that each step can be taken again by
itself: the same command resumes, and whoever deletes scores.json loses nothing that was paid for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evaluator.comparison.compare import compare
from evaluator.comparison.comparison import Comparison
from evaluator.comparison.gate import DEFAULT_GATES, Regression, parse_gate, regress
from evaluator.config.run_config import RunConfig, sweep_folder
from evaluator.core import Item
from evaluator.core.errors import EvaluatorError, StoreError, together
from evaluator.files.output_files import write_output
from evaluator.prepare import PreparedRun, prepare
from evaluator.report.page.html import write_report
from evaluator.report.text.comparison import write_tables
from evaluator.report.text.experiment import markdown as experiment
from evaluator.report.text.robustness import robustness_table
from evaluator.scoring import score_locked
from evaluator.store import draws
from evaluator.store.attempts import without_final_outcome
from evaluator.store.counts import known_sum
from evaluator.store.draws import captioned, drawn_again
from evaluator.store.judgements import FOLDER, cost_usd
from evaluator.store.ledger import Ledger, ledger_within
from evaluator.store.manifest import Manifest
from evaluator.store.provenance import environment
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Failure:
    """A run of several that ended in an error; its captions so far are kept."""

    folder: Path
    error: EvaluatorError


@dataclass(frozen=True)
class Evaluation:
    """The comparison of some runs, their report, and the check of each run that has a baseline."""

    comparison: Comparison
    report: Path
    regressions: tuple[Regression, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def is_incomplete(self) -> bool:
        """Whether the same command could get more captions."""
        return any(row.results.is_incomplete for row in self.comparison.rows)


def evaluate_all(configs: Sequence[RunConfig], is_sweep: bool | None = None) -> Evaluation:
    """Evaluate some runs, compare them, write the report, and check those that have a baseline.

    The report and the tables of several runs, a sweep, go to a folder of their own. All runs are checked
    before the first caption. One that fails afterwards leaves the others, and is named in `failures`.
    """
    return evaluate_prepared(prepare(configs), is_sweep)


def evaluate_prepared(prepared: Sequence[PreparedRun], is_sweep: bool | None = None) -> Evaluation:
    """The same of runs that were checked."""
    is_sweep = len(prepared) > 1 if is_sweep is None else is_sweep
    runs: list[Run] = []
    failures: list[Failure] = []
    for number, one in enumerate(prepared, 1):
        logger.info("run %d of %d: %s", number, len(prepared), one.config.folder)
        try:
            runs.append(carry_out(one))
        except Exception as error:
            if len(prepared) == 1:
                raise
            failures.append(failure_of(one.config, error))
    if not runs:
        raise together([(failure.folder.name, failure.error) for failure in failures])
    comparison = compare(runs)
    folder = sweep_folder([one.config for one in prepared]) if is_sweep else runs[0].path
    if is_sweep:
        write_tables(comparison, folder)
        write_output(folder / "experiment.md", experiment(comparison))
        if table := robustness_table(comparison):
            write_output(folder / "robustness.md", table.markdown() + "\n")
    report = write_report(comparison, folder / "report.html")
    settings = {one.config.folder: one.config.settings for one in prepared}
    regressions = tuple(
        regress(baseline, run, list(map(parse_gate, settings[run.path].gates or DEFAULT_GATES)))
        for run in runs
        if (baseline := settings[run.path].baseline)
    )
    return Evaluation(comparison, report, regressions, tuple(failures))


def failure_of(config: RunConfig, error: Exception) -> Failure:
    """One run's failure, which leaves the others; a mistake in a program is shown with its traceback."""
    if isinstance(error, EvaluatorError):
        logger.error("%s failed: %s", config.folder, error)
        return Failure(config.folder, error)
    logger.error("%s failed", config.folder, exc_info=error)
    return Failure(config.folder, EvaluatorError(f"{type(error).__name__}: {error}"))


def evaluate(config: RunConfig, data: Sequence[Item] | None = None) -> Run:
    """Caption and score one run, resuming what its folder holds; `data` is its data set, if loaded."""
    (one,) = prepare([config], data)
    return carry_out(one)


def carry_out(one: PreparedRun) -> Run:
    """Caption and score a run that was checked."""
    config, folder = one.config, RunFolder(one.config.folder)
    with folder.lock():  # one process at a time
        with folder.appending(one.before.attempts if one.before else None) as ledger:
            manifest, document = begin(folder, one, ledger)
            todo = without_final_outcome(one.items, ledger.attempts.captions)
            caption(config, todo, ledger, one.before.drawn.cost_usd if one.before else None)
            if ledger.uses:
                manifest = manifest.on_devices(ledger.uses)
                folder.write_manifest(manifest)
            known = {"manifest": manifest, "items": one.items, "attempts": ledger.attempts}
        run = Run(folder.path, **known, config=document)
        if config.settings.draws > 1:
            draw_again(config, run)
        return score_locked(run, config.scorers, config.settings, config.runner)


def begin(folder: RunFolder, one: PreparedRun, ledger: Ledger) -> tuple[Manifest, Mapping[str, Any]]:
    """Write down what is about to run, and the captions that it takes over."""
    manifest, inherited = one.manifest, one.before.manifest if one.before else one.origin
    if inherited:
        manifest = replace(manifest, environment=inherited.environment, resumed=inherited.resumed)
    # A repeated command that makes no caption keeps the environments that captions were made in.
    if one.todo or not inherited:
        manifest = manifest.in_environment(environment())
    document = with_scorers_of(one.before, one.config.document)
    folder.begin(manifest, document, one.items)
    for item in without_final_outcome(one.items, ledger.before.captions):
        if item.id in one.reused:
            ledger.record(one.reused[item.id])
    if done := len(one.items) - len(one.todo):
        logger.info("%s: %d of %d images are captioned already", folder.path, done, len(one.items))
    return manifest, document


def with_scorers_of(before: Run | None, document: Mapping[str, Any]) -> Mapping[str, Any]:
    """config.yaml with the scorers that the run was scored with before, whose scores it keeps."""
    try:
        earlier = before.config.get("scorer") if before else None
    except StoreError:  # the file is lost, or is not ours
        earlier = None
    if not isinstance(earlier, Mapping):
        return document
    chosen = {name: node for name, node in document["scorer"].items() if node}
    return {**document, "scorer": {name: node for name, node in {**earlier, **chosen}.items() if node}}


def draw_again(config: RunConfig, run: Run) -> None:
    """Caption the run's images again, until each has as many captions as were asked for."""
    again = drawn_again(captioned(run.items, run.captions), config.settings.draws)
    with ledger_within(run.path / draws.FOLDER) as ledger:
        todo = without_final_outcome(again, ledger.before.captions)
        logger.info("%s: %d of %d further captions are to be made", run.path, len(todo), len(again))
        caption(config, todo, ledger, run.attempts.cost_usd)


def caption(
    config: RunConfig, todo: Sequence[Item], ledger: Ledger, elsewhere_usd: float | None = None
) -> None:
    """Caption these items; each caption is recorded at once. The run has cost `elsewhere_usd` besides."""
    if lost := ledger.before.unanswered:
        logger.warning(
            "%s: requests that were in flight when an earlier command was killed: %d. They may have been "
            "billed, so they count with the most that they can have cost",
            *(config.folder, len(lost)),
        )
    if todo:
        spent_usd = [ledger.before.cost_usd, elsewhere_usd, cost_usd(config.folder / FOLDER)]
        config.runner.run(
            *(config.model, config.prompt, todo, ledger.record, known_sum(spent_usd) or 0.0, ledger)
        )
