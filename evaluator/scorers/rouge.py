"""ROUGE-L (Lin 2004, https://aclanthology.org/W04-1013), as coco-caption computes it.

The longest common subsequence of caption and reference, over the caption's length (precision P) and over the
reference's (recall R). The best P and the best R over an image's references, which may come from two
different references, give (1 + beta^2) P R / (R + beta^2 P) with beta = 1.2.

    >>> rouge_l(("a cat", "two dogs"), (("a dog", "a cat sleeps"), ("a dog",))).round(4).tolist()
    [0.7722, 0.0]

A text without tokens counts as one empty token, as in that program: two empty texts agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluator.core import Array, Item, Measurement
from evaluator.scorers.in_parts import score_in_parts
from evaluator.scorers.ngram_counts import caption_counts, reference_counts
from evaluator.scorers.references import items_with_references, rows_by_references, rows_of_mean
from evaluator.scorers.signature import signature

BETA = 1.2
EMPTY = (-1,)  # one token that no text has


def rouge_l(captions: tuple[str, ...], references: tuple[tuple[str, ...], ...], beta: float = BETA) -> Array:
    """Scores (N,) from 0 to 1: one caption per image, and at least one reference per image."""
    from rapidfuzz.distance import LCSseq

    texts = reference_counts(references)
    image = texts.image.tolist()
    own = [tokens or EMPTY for tokens in caption_counts(captions, texts).tokens]
    caption, reference = [own[index] for index in image], [tokens or EMPTY for tokens in texts.tokens]
    common = np.array(list(map(LCSseq.similarity, caption, reference)))
    precision = np.maximum.reduceat(common / list(map(len, caption)), texts.first_of_image)
    recall = np.maximum.reduceat(common / list(map(len, reference)), texts.first_of_image)
    weighted = recall + beta**2 * precision
    nothing = np.zeros_like(weighted)
    return np.divide((1 + beta**2) * precision * recall, weighted, out=nothing, where=weighted > 0)


@dataclass(frozen=True)
class ROUGE:
    """Scores captions by the longest sequence of words that they share with a reference."""

    kind: ClassVar[str] = "rouge"

    @property
    def names(self) -> tuple[str, ...]:
        return ("ROUGE-L",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """ROUGE-L, the mean over the images. Raises MetricError where no item has references."""
        return score_in_parts(self, items, captions)

    def for_parts_of(self, items: Sequence[Item]) -> ROUGE:
        return self

    def rows(self, items: Sequence[Item], captions: Sequence[str]) -> Array:
        return rows_by_references(items, captions, 2, lambda *texts: rows_of_mean(rouge_l(*texts)))

    def measurements(self, items: Sequence[Item], rows: Array) -> list[Measurement]:
        described = signature("ROUGE-L", items_with_references(items, "ROUGE-L"), beta=BETA, tok="ptb")
        return [Measurement("ROUGE-L", rows, "mean", described)]
