"""A plain function as a metric.

>>> def shared_words(caption, references):
...     words = set(caption.split())
...     return max(len(words & set(reference.split())) for reference in references)
>>> items = [Item("1", None, ("a dog runs", "a cat"))]
>>> [measurement] = FunctionMetric(shared_words).score(items, ["a dog"])
>>> measurement.name, measurement.per_image.tolist()
('shared_words', [2.0])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluator.core import Item, Measurement, Signature
from evaluator.scorers.references import rows_of_mean

# A caption and its references -> a score, a higher one for a better caption; NaN where there is none.
MetricFunction = Callable[[str, Sequence[str]], float]


@dataclass(frozen=True)
class FunctionMetric:
    """Scores each caption with `function(caption, references)`; the corpus score is the mean."""

    function: MetricFunction

    @property
    def names(self) -> tuple[str, ...]:
        return (getattr(self.function, "__name__", type(self.function).__name__),)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        values = np.array(
            [
                float(self.function(caption, item.references))
                for item, caption in zip(items, captions, strict=True)
            ]
        )
        rows = rows_of_mean(np.where(np.isfinite(values), values, np.nan))
        (name,) = self.names
        return [Measurement(name, rows, "mean", Signature.of(name, {"images": int(rows.any(axis=1).sum())}))]
