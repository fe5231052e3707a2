"""How far people agree with each other: the ceiling for any metric.

>>> from evaluator.agreement.judgements import Judged
>>> def rated(*ratings): return Judged("a.jpg", "a dog", (), ratings)
>>> round(krippendorff_alpha([rated(1, 1, 1), rated(4, 4, 4), rated(2, 2, 3)]), 2)
0.96
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluator.agreement.judgements import Judged


def krippendorff_alpha(judged: Sequence[Judged]) -> float:
    """Krippendorff's alpha for ordered ratings: 1 for full agreement, 0 for that of chance.

    NaN where no caption has two ratings, or all ratings are the same. Krippendorff 2011, Computing
    Krippendorff's Alpha-Reliability. The raters are not told apart: they differ from caption to caption.
    """
    from krippendorff import alpha

    rated = [one.raters for one in judged if len(one.raters) > 1]
    values, codes = np.unique([rating for ratings in rated for rating in ratings], return_inverse=True)
    if len(values) < 2:
        return float("nan")
    unit = np.repeat(np.arange(len(rated)), [len(ratings) for ratings in rated])
    counts = np.zeros((len(rated), len(values)), np.int64)
    np.add.at(counts, (unit, codes), 1)
    return float(alpha(value_counts=counts, value_domain=values, level_of_measurement="ordinal"))
