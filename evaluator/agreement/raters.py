"""How far people agree with each other: the ceiling for any metric.

>>> from evaluator.agreement.judgements import Judged
>>> def rated(*ratings): return Judged("a.jpg", "a dog", (), ratings)
>>> round(krippendorff_alpha([rated(1, 1, 1), rated(4, 4, 4), rated(2, 2, 3)]), 2)
0.96
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from evaluator.agreement.judgements import Judged


def krippendorff_alpha(judged: Sequence[Judged]) -> float:
    """Krippendorff's alpha for ordered ratings: 1 for full agreement, 0 for that of chance.

    NaN where no caption has two ratings, or all ratings are the same. The raters have no names: they
    differ from caption to caption.
    """
    return alpha_of([one.raters for one in judged], "ordinal")


def alpha_of(
    answers: Sequence[Sequence[float]] | Sequence[Sequence[str]], level: Literal["nominal", "ordinal"]
) -> float:
    """Krippendorff's alpha of the answers to each question; questions with one answer are left out.

    NaN where no question has two answers, or all are the same. Krippendorff 2011, Computing Krippendorff's
    Alpha-Reliability.
    """
    from krippendorff import alpha

    several = [given for given in answers if len(given) > 1]
    values, codes = np.unique([answer for given in several for answer in given], return_inverse=True)
    if len(values) < 2:
        return float("nan")
    counts = np.zeros((len(several), len(values)), np.int64)
    np.add.at(counts, (np.repeat(np.arange(len(several)), list(map(len, several))), codes), 1)
    return float(alpha(value_counts=counts, value_domain=values, level_of_measurement=level))
