"""The second half of the straight line: score the captions that a run holds.

A scorer that asks a model, a judge, has its questions passed through the run's runner here, and its answers
kept in the run folder. All other scorers only compute.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from evaluator.audit.effects import with_effects
from evaluator.audit.failure_texts import as_scored, texts_to_score
from evaluator.audit.findings import damage
from evaluator.audit.normalizations import measure_normalized, normalization
from evaluator.audit.style import audit
from evaluator.comparison.bootstrap import intervals, score_of
from evaluator.config.settings import Settings
from evaluator.core import AsksModel, Caption, Results, Runner, Scorer
from evaluator.runner.default import DefaultRunner
from evaluator.scorers.draws import measure_draws
from evaluator.scorers.measure import under_rules
from evaluator.scorers.progress import scoring_progress
from evaluator.store.attempts import without_final_outcome
from evaluator.store.counts import (
    count_final_failures,
    count_outcomes,
    images_per_second,
    peak_memory,
    seconds_to_load,
)
from evaluator.store.draws import by_draw, captioned, drawn_again
from evaluator.store.fingerprint import fingerprint
from evaluator.store.judgements import FOLDER, costs_usd, incomplete, with_answers
from evaluator.store.kept_scores import kept_scores
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder

logger = logging.getLogger(__name__)


def score(run: Run, scorers: Mapping[str, Scorer], settings: Settings, runner: Runner | None = None) -> Run:
    """Score the captions that a run holds; scores of the same captions are kept, by whatever scorer.

    Judges ask through `runner`. Raises StoreError where another process writes to the run.
    """
    with RunFolder(run.path).lock():
        return score_locked(run, scorers, settings, runner or DefaultRunner())


def score_locked(run: Run, scorers: Mapping[str, Scorer], settings: Settings, runner: Runner) -> Run:
    """The same for who has the folder's lock."""
    captions: Mapping[str, Caption] = run.captions_of_items
    drawn = run.drawn.captions
    wanted = drawn_again(captioned(run.items, captions), settings.draws) if settings.draws > 1 else []
    to_make = len(without_final_outcome(wanted, drawn))
    now = fingerprint(run.items, {**captions, **drawn} if drawn else captions, scorers, settings)
    kept = kept_scores(run, now)
    todo = {name: one for name, one in scorers.items() if kept.scorers.get(name) != now.scorers[name]}
    if not todo and kept.same_intervals and kept.draws_to_make == to_make:
        logger.info("%s: the scores are up to date", run.path)
        return run
    kept = kept.without(name for scorer in todo.values() for name in scorer.names)
    if kept.outdated:
        names, advice = ", ".join(kept.outdated), f"Type: evaluator score {run.path}"
        logger.warning("%s: the captions changed, so the scores of %s are gone. %s", run.path, names, advice)
    findings = damage(run.items, captions, settings.refusals == "missing")
    rules = settings.unusual_rules
    captions, texts = as_scored(captions, rules), texts_to_score(captions, rules)
    further = [texts_to_score(each, rules) for each in by_draw(run.items, drawn)]
    items = [item for item in run.items if item.id in texts]
    to_score, references = [texts[item.id] for item in items], [item.references for item in items]

    answered = with_answers(todo, run.path / FOLDER, runner, run.cost_usd or 0.0, run.has_own_items)
    with scoring_progress(len(to_score)) as begin:
        measurements, spreads, not_computed = measure_draws(answered, items, to_score, further, begin)
        spreads = [*kept.draws, *spreads]
        scores = {one.name: one.value for one in (*kept.measurements, *measurements)}
        of_first = scores | {one.name: one.first for one in spreads}
        findings = with_effects(findings, scorers, items, to_score, of_first)
        if settings.normalize != "none":
            how = normalization(settings.normalize, to_score, references)
            # Judges are left out: nobody has agreed to pay for questions about changed captions.
            free = {name: one for name, one in todo.items() if not isinstance(one, AsksModel)}
            measurements += measure_normalized(how, free, items, to_score, further, begin)
        measurements = [under_rules(one, rules) for one in measurements]
        measurements = [*kept.measurements, *measurements]
        begin("intervals")
        bounds = intervals(measurements, settings.resamples, settings.confidence, settings.seed)
    costs = {**kept.costs_usd, **costs_usd(answered)}
    # What could not be computed may be computable the next time, and a question without an answer may get
    # one: such scores are never up to date.
    unanswered = incomplete(answered)
    failed = {one.name for one in not_computed} | unanswered
    digests = {name: now.scorers[name] for name, one in todo.items() if failed.isdisjoint(one.names)}
    earlier = {name: digest for name, digest in kept.scorers.items() if name not in todo}
    uses = run.manifest.uses
    results = Results(
        images=len(run.items),
        outcomes=count_outcomes(captions.values()),
        scores=tuple(
            replace(score_of(one, interval), cost_usd=costs.get(one.name))
            for one, interval in zip(measurements, bounds, strict=True)
        ),
        not_computed=(*kept.not_computed, *not_computed),
        confidence=settings.confidence,
        images_per_second=images_per_second(captions.values()),
        seconds_to_load=seconds_to_load(uses),
        peak_memory=peak_memory(uses),
        cost_usd=run.cost_usd,
        style=audit(to_score, references) if to_score else None,
        findings=findings,
        fingerprint=str(replace(now, scorers={**earlier, **digests})),
        final_failures=count_final_failures(captions.values()),
        unanswered=(*kept.unanswered, *sorted(unanswered)),
        draws=tuple(spreads),
        draws_to_make=to_make,
    )
    ids = [item.id for item in items]
    run = run.scored(results, ids, measurements)
    RunFolder(run.path).write_results(run)
    return run
