"""Krippendorff's alpha on the worked example of its author."""

from __future__ import annotations

import math

from evaluator.agreement.judgements import Judged
from evaluator.agreement.raters import krippendorff_alpha

# Krippendorff 2011, Computing Krippendorff's Alpha-Reliability, part C: 12 units, four observers.
UNITS = [
    (1, 1, 1), (2, 2, 3, 2), (3, 3, 3, 3), (3, 3, 3, 3), (2, 2, 2, 2), (1, 2, 3, 4),
    (4, 4, 4, 4), (1, 1, 2, 1), (2, 2, 2, 2), (5, 5, 5), (1, 1), (3,),
]  # fmt: skip


def rated(*ratings: float) -> Judged:
    return Judged("a.jpg", "a dog", (), ratings)


def test_the_authors_example() -> None:
    """The paper gives 0.815 for ordinal data."""
    assert round(krippendorff_alpha([rated(*unit) for unit in UNITS]), 3) == 0.815


def test_nothing_to_compare() -> None:
    assert math.isnan(krippendorff_alpha([rated(1), rated(4)]))
    assert math.isnan(krippendorff_alpha([rated(3, 3), rated(3, 3)]))
