"""How rows of statistics become scores, by name.

A run folder keeps the name of each metric's aggregate, so that runs can be compared without the scorers.
Every aggregate takes rows (..., K) and gives scores (...): of one row, of summed rows, of weighted sums.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from evaluator.core.aggregates.bleu import bleu
from evaluator.core.aggregates.mean import mean
from evaluator.core.aggregates.meteor import meteor
from evaluator.core.arrays import Array

MEAN_OF_DRAWS = "mean-of-draws"
SHARE = "share"
AGGREGATES: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"mean": mean, MEAN_OF_DRAWS: mean, SHARE: mean, "meteor": meteor}
    | {f"bleu-{order}": partial(bleu, order=order) for order in range(1, 5)}
)
