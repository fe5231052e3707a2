"""Measure a run again with the scorers that its config.yaml names: on some of its images, or for a person."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from evaluator.audit.failure_texts import texts_to_score
from evaluator.audit.normalizations import measure_normalized, normalization
from evaluator.comparison.bootstrap import intervals, score_of
from evaluator.config.recorded import recorded_scorers
from evaluator.core import CorpusDependent, Measurement, NotComputed, Score
from evaluator.core.errors import DataError
from evaluator.data.human import drop_reference, held_out_captions
from evaluator.scorers.measure import measure, normalization_of, rules_of, under_rules
from evaluator.store.draws import by_draw
from evaluator.store.run import Run

# The scorers of this package whose weights come from the data set as a whole.
CORPUS_DEPENDENT = ("cider",)


def remeasure(run: Run, ids: Sequence[str]) -> list[Measurement]:
    """What depends on which images there are, such as CIDEr by the references at hand, over these images.

    As the run was scored: also for normalized captions, and with the run's rule for missing captions.
    """
    scorers = {
        name: scorer
        for name, scorer in recorded_scorers(run.config, CORPUS_DEPENDENT).items()
        if isinstance(scorer, CorpusDependent) and scorer.depends_on_corpus
    }
    if not scorers:
        return []
    item_of = {item.id: item for item in run.items}
    items = [item_of[item_id] for item_id in ids]
    texts = [run.captions[item_id].text or "" for item_id in ids]
    rules = rules_of(run.measurements.values())
    further = [texts_to_score(each, rules) for each in by_draw(run.items, run.drawn.captions)]
    measurements: list[Measurement] = []
    # A normalization learns from all captions that were scored, whichever images are measured again.
    learnt_from = [run.captions[item_id].text or "" for item_id in run.scored_ids]
    references = [item_of[item_id].references for item_id in run.scored_ids]
    for name in sorted(set(map(normalization_of, run.measurements.values()))):
        how = normalization(name, learnt_from, references)
        measurements += measure_normalized(how, scorers, items, texts, further)
    # A table of weights that is not on this machine any more is no reason to measure without it.
    measurements = [one for one in measurements if has_weights_of(run.measurements.get(one.name), one)]
    return [under_rules(one, rules) for one in measurements]


def has_weights_of(before: Measurement | None, now: Measurement) -> bool:
    """Whether a metric was measured with the same kind of weights before."""
    return before is not None and before.signature.options.get("idf") == now.signature.options.get("idf")


def human_baseline(
    run: Run, ids: Collection[str], metrics: Collection[str]
) -> tuple[list[Score], list[NotComputed], int]:
    """Score each image's first reference against its others, by the scorers that give these metrics.

    Also returns the number of images. Raises DataError where no image has two references.
    """
    chosen = set(ids)
    among = [item for item in run.items if item.id in chosen]
    captions = held_out_captions(among, 1)
    items = [item for item in drop_reference(among, 1) if item.id in captions]
    if not items:
        raise DataError(f"{run.path}: no image has two references, one of which could stand for a person")
    scorers = {
        name: scorer
        for name, scorer in recorded_scorers(run.config).items()
        if set(scorer.names) & set(metrics)
    }
    measurements, not_computed = measure(scorers, items, [captions[item.id] for item in items])
    return list(map(score_of, measurements, intervals(measurements))), not_computed, len(items)
