"""The regression gate: is a candidate run good enough compared with a baseline?

    CIDEr>=-1.0       the candidate may score at most one point lower than the baseline
    CIDEr>=0.99x      the candidate reaches at least 99 % of the baseline's score
    CIDEr significant the candidate is significantly better
    coverage>=0.99    at least 99 % of the images have a caption
    words<=1.2x       captions are at most 1.2 times as long; likewise cost (USD) and images/s

A gate on a metric *holds* where the whole interval of the difference is on its right side, and *fails* where
the whole interval is on the wrong side. Otherwise it is *inconclusive*: it counts as met where the difference
itself is on the right side, and the check says how many images would decide it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import numpy as np

from evaluator.comparison.compare import compare
from evaluator.comparison.comparison import Comparison, Row
from evaluator.comparison.paired_tests import Difference, images_needed, p_value_text
from evaluator.comparison.pairs import Resampling
from evaluator.core import Array
from evaluator.core.errors import ConfigError
from evaluator.core.metrics import in_points
from evaluator.core.spelling import did_you_mean
from evaluator.store.run import Run

DEFAULT_GATES = ("CIDEr>=-1.0", "coverage>=0.99")
SHOWN = 10  # images of each kind, worst and best

OPERATORS: Mapping[str, Callable[[float, float], bool]] = MappingProxyType(
    {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
)
# What a gate can be on besides a metric, from a run's results.
QUANTITIES: Mapping[str, Callable[[Row], float | None]] = MappingProxyType(
    {
        "coverage": lambda row: row.results.coverage,
        "words": lambda row: row.results.style.words_mean if row.results.style else None,
        "cost": lambda row: row.results.cost_usd,
        "images/s": lambda row: row.results.images_per_second,
    }
)
_BOUND = re.compile(r"(?P<what>.+?)\s*(?P<operator>>=|<=|>|<)\s*(?P<bound>[-+]?\d+(\.\d+)?)(?P<times>x?)")
_SIGNIFICANT = re.compile(r"(?P<what>.+?)\s+significant")


class Verdict(StrEnum):
    """What a gate says."""

    HOLDS = "holds"
    FAILS = "fails"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True)
class Gate:
    """One condition, as it was typed and as it was understood."""

    text: str
    what: str
    operator: str = ">"
    bound: float = 0.0
    times: bool = False  # the bound is a multiple of the baseline's value
    significant: bool = False


@dataclass(frozen=True)
class Check:
    """One gate and what became of it; metrics are in points."""

    gate: Gate
    verdict: Verdict
    met: bool
    baseline: float
    candidate: float
    explanation: str
    difference: Difference | None = None
    images_needed: int | None = None  # to decide what is inconclusive


@dataclass(frozen=True)
class ImageChange:
    """What changed for one image."""

    item_id: str
    gain: float  # of the metric, in points
    baseline: str
    candidate: str
    references: tuple[str, ...]


@dataclass(frozen=True)
class Regression:
    """A candidate beside its baseline."""

    comparison: Comparison  # the baseline, then the candidate
    checks: tuple[Check, ...]
    metric: str | None  # that images are ordered by
    worst: tuple[ImageChange, ...]
    best: tuple[ImageChange, ...]

    @property
    def changed_captions(self) -> int:
        """Of how many images the two runs say something else, or only one says something."""
        baseline, candidate = (row.run.captions for row in self.comparison.rows)
        texts = [{item_id: each.text for item_id, each in run.items()} for run in (baseline, candidate)]
        return len({item_id for item_id, _ in texts[0].items() ^ texts[1].items()})

    @property
    def verdict(self) -> Verdict:
        if any(not check.met for check in self.checks):
            return Verdict.FAILS
        certain = all(check.verdict is Verdict.HOLDS for check in self.checks)
        return Verdict.HOLDS if certain else Verdict.INCONCLUSIVE

    def passes(self, strict: bool = False) -> bool:
        """Whether every gate is met; with `strict`, an inconclusive gate fails."""
        return self.verdict is Verdict.HOLDS or (self.verdict is Verdict.INCONCLUSIVE and not strict)

    @property
    def is_incomplete(self) -> bool:
        """Whether another run could get captions that are missing now."""
        return any(row.results.is_incomplete for row in self.comparison.rows)


def parse_gate(text: str) -> Gate:
    """Raises ConfigError for what is no gate.

    >>> parse_gate("words<=1.2x")
    Gate(text='words<=1.2x', what='words', operator='<=', bound=1.2, times=True, significant=False)
    """
    if match := _SIGNIFICANT.fullmatch(text.strip()):
        return Gate(text, match["what"], significant=True)
    if match := _BOUND.fullmatch(text.strip()):
        return Gate(text, match["what"], match["operator"], float(match["bound"]), bool(match["times"]))
    raise ConfigError(
        f"{text!r} is not a gate. Gates are such as 'CIDEr>=-1.0' (points), 'CIDEr>=0.99x', "
        "'CIDEr significant', 'coverage>=0.99', 'words<=1.2x', 'cost<=1.5x'"
    )


def read_gates(path: Path) -> list[str]:
    """A YAML file with a list of gates. Raises ConfigError for anything else."""
    import yaml

    try:
        gates = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    if not isinstance(gates, list) or not all(isinstance(gate, str) for gate in gates):
        raise ConfigError(f"{path} is not a list of gates. Write one gate per line: - 'CIDEr>=-1.0'")
    return gates


def regress(
    baseline: Run | Path,
    candidate: Run | Path,
    gates: Sequence[Gate],
    resampling: Resampling | None = None,
) -> Regression:
    """Check a candidate. Raises ConfigError where the runs or a gate's metric cannot be compared."""
    paths = [run.path if isinstance(run, Run) else Path(run) for run in (baseline, candidate)]
    if paths[0].resolve() == paths[1].resolve():
        raise ConfigError(
            f"baseline and candidate are the same folder, {paths[0]}: type two runs, such as "
            "evaluator regress runs/before runs/after"
        )
    comparison = compare([baseline, candidate], resampling=resampling)
    if not comparison.same_data:
        first, second = (row.run.path for row in comparison.rows)
        raise ConfigError(
            f"{first} and {second} use different images or references: no gate can compare them"
        )
    checks = tuple(check_gate(comparison, gate) for gate in gates)
    metric = next((check.difference.metric for check in checks if check.difference), comparison.lead_metric)
    if metric and comparison.pairs.difference(metric, 1, 0) is None:
        metric = None  # only one of the two runs has the lead metric
    worst, best = image_changes(comparison, metric) if metric else ((), ())
    return Regression(comparison, checks, metric, worst, best)


def check_gate(comparison: Comparison, gate: Gate) -> Check:
    if gate.what.lower() in QUANTITIES and not gate.significant:
        return _check_quantity(comparison, gate)
    names = {metric.lower(): metric for metric in comparison.metrics}
    metric = names.get(gate.what.lower())
    if metric is None:
        known = [*comparison.metrics, *QUANTITIES]
        meant = did_you_mean(gate.what, known)
        raise ConfigError(
            f"{gate.text!r}: there is no {gate.what!r} in these runs.{meant} They have {', '.join(known)}"
        )
    difference = comparison.pairs.difference(metric, 1, 0)
    if difference is None:
        raise ConfigError(
            f"{gate.text!r}: {metric} was not computed for both runs, or not in the same way: score both "
            "again with the same scorers"
        )
    baseline, candidate = (measured[metric].points for measured in comparison.pairs.measurements)
    if gate.significant:
        return _check_significance(comparison, gate, difference, baseline, candidate)
    value, (low, high) = difference.points, difference.interval_points
    bound = (gate.bound - 1) * baseline if gate.times else gate.bound
    meets = OPERATORS[gate.operator]
    ends = [meets(low, bound), meets(high, bound)]
    verdict = Verdict.HOLDS if all(ends) else Verdict.INCONCLUSIVE if any(ends) else Verdict.FAILS
    needed = None
    if verdict is Verdict.INCONCLUSIVE:
        needed = _needed(comparison, (value - bound) / 100, difference)
    return Check(
        gate,
        verdict,
        meets(value, bound),
        baseline,
        candidate,
        f"{value:+.1f} points ({low:+.1f} to {high:+.1f})",
        difference,
        needed,
    )


def _check_significance(
    comparison: Comparison, gate: Gate, difference: Difference, baseline: float, candidate: float
) -> Check:
    verdict = Verdict.INCONCLUSIVE
    if comparison.pairs.is_significant(difference.metric, 1, 0):
        verdict = Verdict.HOLDS if difference.gain > 0 else Verdict.FAILS
    needed = None
    if verdict is Verdict.INCONCLUSIVE:
        needed = _needed(comparison, difference.value, difference)
    explanation = f"{difference.points:+.1f} points, {p_value_text(difference.p_value)}"
    met = verdict is Verdict.HOLDS
    return Check(gate, verdict, met, baseline, candidate, explanation, difference, needed)


def _check_quantity(comparison: Comparison, gate: Gate) -> Check:
    quantity = QUANTITIES[gate.what.lower()]
    baseline, candidate = (quantity(row) for row in comparison.rows)
    if candidate is None or (gate.times and baseline is None):
        lacking = comparison.rows[1 if candidate is None else 0].label
        raise ConfigError(f"{gate.text!r}: {lacking} has no {gate.what}")
    bound = gate.bound * (baseline or 0.0) if gate.times else gate.bound
    met = OPERATORS[gate.operator](candidate, bound)
    explanation = f"{candidate:.4g}; the limit is {bound:.4g}"
    verdict = Verdict.HOLDS if met else Verdict.FAILS
    return Check(gate, verdict, met, baseline or 0.0, candidate, explanation)


def _needed(comparison: Comparison, distance: float, difference: Difference) -> int | None:
    """Images that would decide it, if the difference is what it seems to be."""
    confidence = comparison.pairs.confidence
    return images_needed(distance, difference.standard_error, difference.images, confidence)


def image_changes(
    comparison: Comparison, metric: str, shown: int = SHOWN
) -> tuple[tuple[ImageChange, ...], tuple[ImageChange, ...]]:
    """The images with the greatest losses, and those with the greatest gains, of both captions' scores."""
    ids = comparison.pairs.ids
    before, after = (measured[metric] for measured in comparison.pairs.measurements)
    gains: Array = in_points(1.0) * (after.per_image - before.per_image)
    if not before.higher_is_better:
        gains = -gains
    baseline, candidate = (row.run.captions for row in comparison.rows)
    order = np.argsort(gains, kind="stable")
    order = order[~np.isnan(gains[order])]
    losses = [int(index) for index in order[:shown] if gains[index] < 0]
    best = [int(index) for index in order[::-1][:shown] if gains[index] > 0]
    wanted = {ids[index] for index in (*losses, *best)}
    references = {item.id: item.references for item in comparison.rows[1].run.items if item.id in wanted}

    def change(index: int) -> ImageChange:
        item_id, gain = ids[index], float(gains[index])
        old, new = (captions[item_id].text or "" for captions in (baseline, candidate))
        return ImageChange(item_id, gain, old, new, references.get(item_id, ()))

    return tuple(map(change, losses)), tuple(map(change, best))


def best_of(baselines: Sequence[Path], gates: Sequence[Gate]) -> Path:
    """Of several baselines the best on the metric of the first gate that is on one, else the lead metric."""
    if len(baselines) == 1:
        return baselines[0]
    comparison = compare(baselines)
    names = {metric.lower(): metric for metric in comparison.computed}
    metric = next((names[gate.what.lower()] for gate in gates if gate.what.lower() in names), None)
    if (metric := metric or comparison.lead_metric) is None:
        raise ConfigError("none of the baselines has a score: score them first")
    return comparison.ranked(metric)[0].run.path
