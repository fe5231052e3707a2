"""The scores in a run folder that stay true: those of the captions that it holds now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from evaluator.core import DrawSpread, Measurement, NotComputed
from evaluator.core.errors import StoreError
from evaluator.store.fingerprint import Fingerprint
from evaluator.store.run import Run


@dataclass(frozen=True)
class KeptScores:
    """The metrics that need not be measured again, and the metrics that are of other captions."""

    measurements: Sequence[Measurement] = ()
    not_computed: Sequence[NotComputed] = ()
    scorers: Mapping[str, str] = field(default_factory=dict)  # their digests, as far as these are known
    outdated: Sequence[str] = ()
    same_intervals: bool = False
    costs_usd: Mapping[str, float | None] = field(default_factory=dict)  # of judges, by metric
    unanswered: Sequence[str] = ()  # metrics of judges that owe an answer
    draws: Sequence[DrawSpread] = ()
    draws_to_make: int = 0

    def without(self, names: Iterable[str]) -> KeptScores:
        """Without the metrics that are measured anew, also those of changed captions: "CIDEr (...)"."""
        new = tuple(names)

        def stays(name: str) -> bool:
            return not any(name == other or name.startswith(f"{other} (") for other in new)

        return replace(
            self,
            measurements=[one for one in self.measurements if stays(one.name)],
            not_computed=[one for one in self.not_computed if stays(one.name)],
            outdated=[name for name in self.outdated if stays(name)],
            costs_usd={name: usd for name, usd in self.costs_usd.items() if stays(name)},
            unanswered=[name for name in self.unanswered if stays(name)],
            draws=[one for one in self.draws if stays(one.name)],
        )


def kept_scores(run: Run, now: Fingerprint) -> KeptScores:
    """What the folder's scores are worth for the captions of now.

    Version 0.1.0 has one digest of everything: its scores stay where no outcome has changed since.
    """
    if not run.has_computed_files:
        return KeptScores()
    try:
        names = run.metrics_on_record
    except StoreError:  # damaged
        return KeptScores()
    try:
        results, measurements = run.results, run.measurements
    except StoreError:
        return KeptScores(outdated=names)
    before = Fingerprint.parse(results.fingerprint)
    if before and before.inputs != now.inputs:
        return KeptScores(outdated=names)
    return KeptScores(
        list(measurements.values()),
        results.not_computed,
        before.scorers if before else {},
        same_intervals=before is not None and before.intervals == now.intervals,
        costs_usd={score.name: score.cost_usd for score in results.scores if score.cost_usd is not None},
        unanswered=results.unanswered,
        draws=results.draws,
        draws_to_make=results.draws_to_make,
    )
