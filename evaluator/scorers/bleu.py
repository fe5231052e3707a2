"""BLEU-1 to BLEU-4 (Papineni et al. 2002, https://aclanthology.org/P02-1040), as coco-caption computes them.

The corpus score comes from summed counts, with the length of the closest reference (the shorter of two that
are as close). `evaluator.core.bleu` turns counts into scores, with the two small constants of that program's
bleu_scorer.py, which also gives each single caption a score.

    >>> bleu_statistics(("a cat on a mat",), (("a cat sits on the mat", "the cat"),)).astype(int).tolist()
    [[4, 1, 0, 0, 5, 4, 3, 2, 5, 6]]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluator.core import Array, Item, Measurement
from evaluator.scorers.compared import ComparedPart, compared
from evaluator.scorers.prepared import ORDERS, Part, prepare
from evaluator.scorers.references import References
from evaluator.scorers.signature import signature
from evaluator.scorers.sorted_keys import Numbers, joined, second_of


def bleu_statistics(captions: tuple[str, ...], references: tuple[tuple[str, ...], ...]) -> Array:
    """Rows (N, 10): clipped matches, n-grams (both of 1 to 4 words), length, closest reference's length."""
    prepared = prepare(references)
    parts = zip(compared(captions, prepared).parts, prepared.parts, strict=True)
    return np.concatenate([_statistics(captions_of, part) for captions_of, part in parts])


def _statistics(captions: ComparedPart, references: Part) -> Array:
    columns: list[Numbers] = []
    for bag, shared, ngrams in zip(captions.bags, captions.shared, references.ngrams, strict=True):
        clipped = np.minimum(bag.counts[shared.held], ngrams.most[shared.keys])
        columns.append(np.bincount(bag.texts[shared.held], clipped, minlength=len(captions.lengths)))
    columns += [np.maximum(captions.lengths - order, 0) for order in range(ORDERS)]
    columns += [captions.lengths, closest_lengths(captions.lengths, references)]
    return np.stack(columns, axis=1).astype(np.float64)


def closest_lengths(lengths: Numbers, references: Part) -> Numbers:
    """The length of the reference closest to each caption's, the shorter one of two."""
    distances = np.abs(references.lengths - lengths[references.image_of])
    best = np.minimum.reduceat(joined(distances, references.lengths), references.first_of_image)
    return second_of(best)


@dataclass(frozen=True)
class BLEU:
    """Scores captions by the words and phrases that they share with any of their references."""

    kind: ClassVar[str] = "bleu"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"BLEU-{order}" for order in range(1, ORDERS + 1))

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """BLEU-1 to BLEU-4 of the same counts. Raises NotComputed where no item has references."""
        texts = References.of(items, captions, "BLEU")
        statistics = texts.spread(bleu_statistics(texts.captions, texts.references))
        return [
            Measurement(
                name,
                statistics,
                name.lower(),
                signature(name, texts.items, smooth="coco", length="closest", tok="ptb"),
            )
            for name in self.names
        ]
