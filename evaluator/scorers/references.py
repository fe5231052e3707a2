"""The first and last step of every scorer that uses references: leave out the images without references.

    >>> items = [Item("1", None), Item("2", None, ("a cat", "a tabby"))]
    >>> texts = References.of(items, ["a dog", "a cat"], "BLEU")
    >>> texts.captions, texts.references, texts.spread(np.array([[0.5, 1.0]])).tolist()
    (('a cat',), (('a cat', 'a tabby'),), [[0.0, 0.0], [0.5, 1.0]])

A row of zeros marks an image that was not scored.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evaluator.core import Array, Item
from evaluator.core.errors import MetricError


@dataclass(frozen=True)
class References:
    """The images that can be scored, their captions, and their indexes among all images."""

    items: tuple[Item, ...]
    captions: tuple[str, ...]
    indexes: tuple[int, ...]
    total: int

    @classmethod
    def of(cls, items: Sequence[Item], captions: Sequence[str], metric: str) -> References:
        """Raises MetricError where no item has references."""
        items_with_references(items, metric)
        return cls.among(items, captions)

    @classmethod
    def among(cls, items: Sequence[Item], captions: Sequence[str]) -> References:
        """Those of the images that have references, if any."""
        if len(items) != len(captions):
            raise ValueError(f"{len(captions)} captions for {len(items)} images")
        indexes = tuple([index for index, item in enumerate(items) if item.references])
        scored = tuple([items[index] for index in indexes])
        return cls(scored, tuple([captions[index] for index in indexes]), indexes, len(items))

    @property
    def references(self) -> tuple[tuple[str, ...], ...]:
        return tuple([item.references for item in self.items])

    def spread(self, rows: Array) -> Array:
        """One row per image that was given: zeros, which mean not scored, for those left out."""
        spread = np.zeros((self.total, rows.shape[1]))
        spread[list(self.indexes)] = rows
        return spread


def rows_of_mean(values: Array) -> Array:
    """The rows (N, 2) of a metric that is the mean over the images; zeros where the value is NaN."""
    scored = ~np.isnan(values)
    return np.stack([np.where(scored, values, 0.0), scored.astype(np.float64)], axis=1)


def items_with_references(items: Sequence[Item], metric: str) -> list[Item]:
    """Raises MetricError where no item has references."""
    if found := [item for item in items if item.references]:
        return found
    raise MetricError(
        f"{metric} compares captions with references, and none of the {len(items)} images has any: "
        "choose a data set with references, or give a references file"
    )


def rows_by_references(
    items: Sequence[Item],
    captions: Sequence[str],
    columns: int,
    compute: Callable[[tuple[str, ...], tuple[tuple[str, ...], ...]], Array],
) -> Array:
    """The rows (N, columns) that `compute` makes of captions and references; zeros without references."""
    texts = References.among(items, captions)
    if not texts.items:
        return np.zeros((len(items), columns))
    return texts.spread(compute(texts.captions, texts.references))
