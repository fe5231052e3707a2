"""BLEU (Papineni et al. 2002, https://aclanthology.org/P02-1040) from summed counts, as in coco-caption."""

from __future__ import annotations

import numpy as np

from evaluator.core.arrays import Array

# The columns of a row: n-grams of 1 to 4 words that match, n-grams in all, and two lengths in words.
MATCHES = slice(0, 4)
TOTALS = slice(4, 8)
LENGTH = 8
REFERENCE_LENGTH = 9  # of the closest reference

# From coco-caption's bleu_scorer.py: they keep a product without a match from being exactly zero, and make
# the score of a single caption comparable with that program's.
TINY, SMALL = 1e-15, 1e-9


def bleu(rows: Array, order: int) -> Array:
    """Rows (..., 10) -> (...): BLEU of n-grams of up to `order` words, from 0 to 1; NaN for zeros."""
    matches, totals = rows[..., MATCHES][..., :order], rows[..., TOTALS][..., :order]
    precisions = (matches + TINY) / (totals + SMALL)
    ratio = (rows[..., LENGTH] + TINY) / (rows[..., REFERENCE_LENGTH] + SMALL)
    brevity = np.exp(np.minimum(0.0, 1.0 - 1.0 / ratio))
    score = np.prod(precisions, axis=-1) ** (1.0 / order) * brevity
    return np.where((rows[..., LENGTH] != 0) | (rows[..., REFERENCE_LENGTH] != 0), score, np.nan)
