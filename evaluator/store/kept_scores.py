"""The scores in a run folder that stay true: those of the captions that it holds now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from evaluator.core import Measurement, NotComputed
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

    def without(self, names: Iterable[str]) -> KeptScores:
        """Without the metrics that are measured anew, also those of changed captions: "CIDEr (...)"."""
        new = set(names)
        return KeptScores(
            [one for one in self.measurements if one.name.partition(" (")[0] not in new],
            [one for one in self.not_computed if one.name.partition(" (")[0] not in new],
            self.scorers,
            [name for name in self.outdated if name.partition(" (")[0] not in new],
            self.same_intervals,
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
    )
