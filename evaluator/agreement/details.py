"""Where metrics and people agree or not: by the captions' length, and caption by caption."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from evaluator.agreement.correlations import STATISTICS, Indices
from evaluator.agreement.judgements import Judged
from evaluator.agreement.trust import Trusted, observations
from evaluator.comparison.metric_agreement import ranks
from evaluator.core import Array, Measurement

PARTS = 4
FEWEST = 50  # captions of a part


@dataclass(frozen=True)
class LengthPart:
    """The captions of some lengths, and the agreement of each metric on them."""

    shortest: int  # words
    longest: int
    captions: int
    values: Mapping[str, float]  # by metric; NaN where it is not defined


@dataclass(frozen=True)
class Disagreement:
    """A caption that a metric and people rank differently among all captions."""

    judged: Judged
    score: float
    metric_share: float  # the share of the captions that the metric scores lower, from 0 to 1
    people_share: float  # the share of the captions that people rate lower


def by_length(trusted: Trusted) -> list[LengthPart]:
    """The captions in up to four parts of about the same size, the shortest first.

    Empty where the captions are too few or too alike in length for two parts.
    """
    judged = trusted.collection.judged
    words = np.array([len(one.caption.split()) for one in judged])
    parts = min(PARTS, len(judged) // FEWEST)
    if parts < 2 or not trusted.agreements:
        return []
    bounds = np.unique(np.quantile(words, np.linspace(0, 1, parts + 1)[1:-1]))
    part_of = np.searchsorted(bounds, words, side="left")
    rows = [np.flatnonzero(part_of == part) for part in np.unique(part_of)]
    if len(rows) < 2:
        return []
    return [
        LengthPart(
            shortest=int(words[part].min()),
            longest=int(words[part].max()),
            captions=len(part),
            values={one.name: _value(trusted, one, part) for one in trusted.measurements},
        )
        for part in rows
    ]


def _value(trusted: Trusted, measurement: Measurement, rows: Indices) -> float:
    """The first statistic over some captions."""
    scores = measurement.oriented
    kept = [int(row) for row in rows if np.isfinite(scores[int(row)])]
    if len(kept) < 2:
        return float("nan")
    observed = observations([trusted.collection.judged[row] for row in kept], scores[kept])
    return STATISTICS[trusted.agreements[0].statistic](observed)(np.ones(observed.images, np.int64))


def disagreements(trusted: Trusted, metric: str, count: int = 6) -> list[Disagreement]:
    """The captions on which this metric and people disagree most, one per image, the worst first."""
    measurement = next(one for one in trusted.measurements if one.name == metric)
    scores, judged = measurement.oriented, trusted.collection.judged
    kept = np.flatnonzero(np.isfinite(scores))
    by_metric = _lower_shares(scores[kept])
    by_people = _lower_shares(np.array([judged[row].rating for row in kept]))
    worst: dict[str, Disagreement] = {}
    for index in np.argsort(-np.abs(by_metric - by_people), kind="stable"):
        one = judged[kept[index]]
        if one.image not in worst:
            share, people = float(by_metric[index]), float(by_people[index])
            worst[one.image] = Disagreement(one, float(scores[kept[index]]), share, people)
        if len(worst) == count:
            break
    return list(worst.values())


def _lower_shares(values: Array) -> Array:
    """The share of the values that are lower than each of them, ties counted half."""
    shares: Array = (ranks(values) - 0.5) / len(values)
    return shares
