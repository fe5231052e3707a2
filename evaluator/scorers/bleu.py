"""BLEU-1 to BLEU-4 (Papineni et al. 2002, https://aclanthology.org/P02-1040), as coco-caption computes them.

The share of a caption's n-grams that its references hold, where an n-gram counts at most as often as in the
reference that holds it most often; the geometric mean over n; times a penalty for captions that are shorter
than their references. All counts are summed over the images before dividing, and the reference length of an
image is that of the reference closest to the caption, the shorter one of two that are equally close.

`evaluator.core.aggregates.bleu` turns counts into scores, with the two small constants of that program's
bleu_scorer.py.

    >>> bleu_statistics(("a cat on a mat",), (("a cat sits on the mat", "the cat"),)).astype(int).tolist()
    [[4, 1, 0, 0, 5, 4, 3, 2, 5, 6]]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluator.core import Array, Item, Measurement
from evaluator.core.aggregates.bleu import LENGTH, MATCHES, REFERENCE_LENGTH, TOTALS
from evaluator.scorers.in_parts import score_in_parts
from evaluator.scorers.ngram_counts import LONGEST, caption_counts, reference_counts
from evaluator.scorers.packed_keys import Ids, pack, unpack
from evaluator.scorers.references import items_with_references, rows_by_references
from evaluator.scorers.signature import signature

COLUMNS = 2 * LONGEST + 2


def bleu_statistics(captions: tuple[str, ...], references: tuple[tuple[str, ...], ...]) -> Array:
    """Rows (N, 10): matches, n-grams (both for 1 to 4 words), caption length, closest reference's length."""
    reference = reference_counts(references)
    caption = caption_counts(captions, reference)
    rows = np.empty((len(captions), COLUMNS))
    rows[:, MATCHES] = np.stack(
        [
            counts[:, : most.shape[1]].minimum(most).sum(axis=1)
            for counts, most in zip(caption.counts, reference.most, strict=True)
        ],
        axis=1,
    )
    rows[:, TOTALS] = np.maximum(caption.lengths[:, np.newaxis] - np.arange(LONGEST), 0)
    rows[:, LENGTH] = caption.lengths
    distance = np.abs(reference.lengths - caption.lengths[reference.image])
    rows[:, REFERENCE_LENGTH] = closest_lengths(distance, reference.lengths, reference.first_of_image)
    return rows


def closest_lengths(distance: Ids, lengths: Ids, first_of_image: Ids) -> Ids:
    """For each image the length of the reference at the least distance, the shorter one of two."""
    _, length = unpack(np.minimum.reduceat(pack(distance, lengths), first_of_image))
    return length


@dataclass(frozen=True)
class BLEU:
    """Scores captions by the words and phrases that they share with any of their references."""

    kind: ClassVar[str] = "bleu"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f"BLEU-{n}" for n in range(1, LONGEST + 1))

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """BLEU-1 to BLEU-4, from the same counts. Raises MetricError where no item has references."""
        return score_in_parts(self, items, captions)

    def for_parts_of(self, items: Sequence[Item]) -> BLEU:
        return self

    def rows(self, items: Sequence[Item], captions: Sequence[str]) -> Array:
        return rows_by_references(items, captions, COLUMNS, bleu_statistics)

    def measurements(self, items: Sequence[Item], rows: Array) -> list[Measurement]:
        scored = items_with_references(items, "BLEU")
        return [
            Measurement(
                name,
                rows,
                name.lower(),
                signature(name, scored, smooth="coco", length="closest", tok="ptb"),
            )
            for name in self.names
        ]
