"""ROUGE-L (Lin 2004, https://aclanthology.org/W04-1013), as coco-caption computes it.

The longest common subsequence of caption and reference gives a precision and a recall. That program takes
the best precision and the best recall, which may come from two different references, and weighs recall by
beta = 1.2.

    >>> longest_common_subsequence("a cat on a mat".split(), "a black cat on the mat".split())
    4
    >>> round(rouge_l(("a", "cat"), [("a", "dog"), ("a", "cat", "sleeps")]), 4)
    0.7722
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluator.core import Item, Measurement
from evaluator.scorers.references import References
from evaluator.scorers.signature import signature
from evaluator.scorers.tokenizer import tokenize_all

BETA = 1.2


def longest_common_subsequence(first: Sequence[str], second: Sequence[str]) -> int:
    """The length of the longest sequence of words that both hold in the same order, gaps allowed.

    Bit-parallel (Hyyrö 2004): a column of the usual table is one integer, whose zeros are where it grows.
    """
    column = (1 << len(first)) - 1
    full = column
    positions = _positions(first)
    for word in second:
        matches = column & positions.get(word, 0)
        column = (column + matches) | (column - matches)
    return len(first) - (column & full).bit_count()


def _positions(words: Sequence[str]) -> dict[str, int]:
    """For each word, a bit for every place where it stands."""
    positions: dict[str, int] = {}
    for place, word in enumerate(words):
        positions[word] = positions.get(word, 0) | 1 << place
    return positions


def rouge_l(caption: Sequence[str], references: Sequence[Sequence[str]], beta: float = BETA) -> float:
    """From 0 to 1, of one tokenized caption and its tokenized references.

    No token at all counts as one empty token, as in the reference program: two empty captions agree.
    """
    words = caption or ("",)
    others = [reference or ("",) for reference in references]
    common = [longest_common_subsequence(words, other) for other in others]
    precision = max(common) / len(words)
    recall = max(length / len(other) for length, other in zip(common, others, strict=True))
    if not precision:
        return 0.0
    return (1 + beta**2) * precision * recall / (recall + beta**2 * precision)


@dataclass(frozen=True)
class ROUGE:
    """Scores captions by the longest sequence of words that they share with a reference."""

    @property
    def names(self) -> tuple[str, ...]:
        return ("ROUGE-L",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """ROUGE-L, the mean over the images. Raises NotComputed where no item has references."""
        texts = References.of(items, captions, "ROUGE-L")
        flat = iter(tokenize_all(tuple(text for references in texts.references for text in references)))
        scores = [
            rouge_l(caption, [next(flat) for _ in references])
            for caption, references in zip(tokenize_all(texts.captions), texts.references, strict=True)
        ]
        statistics = texts.spread(np.stack([scores, np.ones(len(scores))], axis=1))
        return [
            Measurement(
                "ROUGE-L", statistics, "mean", signature("ROUGE-L", texts.items, beta=BETA, tok="ptb")
            )
        ]
