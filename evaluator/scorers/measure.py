"""Run several scorers over the same captions: what could be measured, and why the rest could not."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from evaluator.core import InParts, Item, Measurement, NotComputed, Scorer, errors
from evaluator.core.signature import REMOVED
from evaluator.scorers import in_parts
from evaluator.scorers.progress import Begin, in_silence

logger = logging.getLogger(__name__)


def measure(
    scorers: Mapping[str, Scorer],
    items: Sequence[Item],
    captions: Sequence[str],
    begin: Begin = in_silence,
) -> tuple[list[Measurement], list[NotComputed]]:
    """Each scorer's measurements of captions[i] for items[i].

    One that fails, with whatever error, is not computed and does not stop the others. `begin` is called with
    the names of its metrics before each scorer.
    """
    measurements: list[Measurement] = []
    not_computed: list[NotComputed] = []
    outcomes = outcomes_in_parts(scorers, items, captions, begin)
    for key, scorer in scorers.items():
        measured: dict[str, Measurement] = {}
        if key not in outcomes:
            begin(", ".join(scorer.names))
        try:
            if not captions:
                raise errors.MetricError("no image has a caption")
            outcome = outcomes[key] if key in outcomes else scorer.score(items, captions)
            if isinstance(outcome, Exception):
                raise outcome
            measured = {measurement.name: measurement for measurement in outcome}
            reason = "no image could be scored"
        except errors.StoreError:  # answers of a judge could not be kept
            raise
        except errors.EvaluatorError as error:
            reason = str(error)
            logger.debug("%s not computed: %s", ", ".join(scorer.names), reason)  # tables say it
        except Exception as error:
            reason = f"the scorer failed with {type(error).__name__}: {error}"
            logger.warning("%s not computed: %s", ", ".join(scorer.names), reason, exc_info=True)
        for name in scorer.names:
            if name in measured and math.isfinite(measured[name].value):
                measurements.append(measured[name])
            else:
                not_computed.append(NotComputed(name, reason))
    return measurements, not_computed


def outcomes_in_parts(
    scorers: Mapping[str, Scorer], items: Sequence[Item], captions: Sequence[str], begin: Begin
) -> dict[str, list[Measurement] | Exception]:
    """What those scorers measure that take many images in parts: together, since they share much work."""
    together = {key: scorer for key, scorer in scorers.items() if isinstance(scorer, InParts)}
    if len(items) <= in_parts.IMAGES_A_PART or not together:
        return {}  # one part is remembered from one scorer to the next
    begin(", ".join(name for scorer in together.values() for name in scorer.names))
    return in_parts.score_together(together, items, captions)


# Options of a signature: how images without a caption, and captions that are refusals, were treated.
RULES = ("missing", "refusals")


def under_rules(measurement: Measurement, rules: Mapping[str, str]) -> Measurement:
    """A measurement whose signature names these rules."""
    signature = measurement.signature
    for name, rule in rules.items():
        signature = signature.marked(name, rule)
    return replace(measurement, signature=signature)


def rules_of(measurements: Iterable[Measurement]) -> dict[str, str]:
    """The rules by which they were measured: the inverse of under_rules."""
    options = [measurement.signature.options for measurement in measurements]
    return {name: each[name] for name in RULES for each in options if name in each}


def renamed_for_normalization(measurement: Measurement, how: str, removed: str = "") -> Measurement:
    """A measurement of changed captions under a name of its own; unchanged for `none`."""
    if how == "none":
        return measurement
    signature = measurement.signature.marked("norm", how)
    if removed:
        signature = signature.marked(REMOVED, removed)
    return replace(measurement, name=f"{measurement.name} ({how})", signature=signature)


def normalization_of(measurement: Measurement) -> str:
    """How the captions of this measurement were changed: the inverse of renamed_for_normalization.

    METEOR's own signature has a `norm` too, and a judge's name has brackets: both must say the same.
    """
    how = measurement.signature.options.get("norm", "none")
    return how if measurement.name.endswith(f" ({how})") else "none"
