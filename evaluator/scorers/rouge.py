"""ROUGE-L (Lin 2004, https://aclanthology.org/W04-1013), as coco-caption computes it.

The longest common subsequence of caption and reference gives a precision and a recall. That program takes
the best precision and the best recall, which may come from two different references, and weighs recall by
beta = 1.2.

    >>> longest_common_subsequence("a cat on a mat".split(), "a black cat on the mat".split())
    4
    >>> rouge_l(("a cat", "two dogs"), (("a dog", "a cat sleeps"), ("a dog",))).round(4).tolist()
    [0.7722, 0.0]

No token at all counts as one empty token, as in that program: two empty captions agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluator.core import Array, Item, Measurement
from evaluator.scorers.compared import compared
from evaluator.scorers.prepared import BITS, Part, prepare
from evaluator.scorers.references import References
from evaluator.scorers.signature import signature
from evaluator.scorers.sorted_keys import Numbers, joined, places
from evaluator.scorers.vocabulary import Sequences

BETA = 1.2


def rouge_l(captions: tuple[str, ...], references: tuple[tuple[str, ...], ...], beta: float = BETA) -> Array:
    """Scores (N,) from 0 to 1, of one caption an image and its references, at least one an image."""
    prepared = prepare(references)
    parts = zip(compared(captions, prepared).parts, prepared.parts, strict=True)
    return np.concatenate([_scores(captions_of.tokens, part, beta) for captions_of, part in parts])


def _scores(captions: Sequences, references: Part, beta: float) -> Array:
    of_caption = np.maximum(captions.lengths, 1)[references.image_of]
    of_reference = np.maximum(references.tokens.lengths, 1)
    common = common_subsequences(captions, references)
    precision = np.maximum.reduceat(common / of_caption, references.first_of_image)
    recall = np.maximum.reduceat(common / of_reference, references.first_of_image)
    weighed = recall + beta**2 * precision
    nothing = np.zeros_like(weighed)
    return np.divide((1 + beta**2) * precision * recall, weighed, out=nothing, where=weighed > 0)


def common_subsequences(captions: Sequences, references: Part) -> Numbers:
    """For each reference, the length of its longest common subsequence with its image's caption."""
    common = _of_one_machine_word(captions, references)
    empty = (references.tokens.lengths == 0) & (captions.lengths == 0)[references.image_of]
    common[empty] = 1
    starts = np.cumsum(references.tokens.lengths) - references.tokens.lengths
    caption_starts = np.cumsum(captions.lengths) - captions.lengths
    for long in np.flatnonzero(references.tokens.lengths > BITS):
        image = references.image_of[long]
        reference = references.tokens.numbers[starts[long] :][: references.tokens.lengths[long]]
        caption = captions.numbers[caption_starts[image] :][: captions.lengths[image]]
        common[long] = longest_common_subsequence(reference.tolist(), caption.tolist())
    return common


def _of_one_machine_word(captions: Sequences, references: Part) -> Numbers:
    """The bits of `longest_common_subsequence` for all references at once, 0 for those that are too long.

    A step takes the next word of each caption. Where a reference lacks that word, its bits stay as they are.
    """
    distinct, inverse = np.unique(joined(captions.text_of, captions.numbers), return_inverse=True)
    place, found = places(distinct, references.positions.keys)
    in_caption = captions.places
    order = np.flatnonzero(found[inverse])
    order = order[np.argsort(in_caption[order], kind="stable")]
    keys = place[inverse[order]]
    sizes = references.positions.sizes[keys]
    rows = references.positions.rows(keys)
    texts = references.positions.texts[rows]
    bits = references.positions.values[rows].view(np.uint64)
    steps = np.bincount(in_caption[order], sizes).astype(np.int64)

    columns = np.full(len(references.image_of), ~np.uint64(0))
    end = 0
    for size in steps.tolist():
        start, end = end, end + size
        here = texts[start:end]
        column = columns[here]
        matches = column & bits[start:end]
        columns[here] = (column + matches) | (column - matches)
    return np.bitwise_count(~columns).astype(np.int64)


def longest_common_subsequence(first: Sequence[object], second: Sequence[object]) -> int:
    """The length of the longest sequence that both hold in the same order, gaps allowed.

    Bit-parallel (Hyyrö 2004): a column of the usual table is one integer, whose zeros are where it grows.
    """
    column = (1 << len(first)) - 1
    full = column
    positions = _positions(first)
    for word in second:
        matches = column & positions.get(word, 0)
        column = (column + matches) | (column - matches)
    return len(first) - (column & full).bit_count()


def _positions(words: Sequence[object]) -> dict[object, int]:
    """For each word, a bit for every place where it stands."""
    positions: dict[object, int] = {}
    for place, word in enumerate(words):
        positions[word] = positions.get(word, 0) | 1 << place
    return positions


@dataclass(frozen=True)
class ROUGE:
    """Scores captions by the longest sequence of words that they share with a reference."""

    kind: ClassVar[str] = "rouge"

    @property
    def names(self) -> tuple[str, ...]:
        return ("ROUGE-L",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """ROUGE-L, the mean over the images. Raises NotComputed where no item has references."""
        texts = References.of(items, captions, "ROUGE-L")
        scores = rouge_l(texts.captions, texts.references)
        statistics = texts.spread(np.stack([scores, np.ones(len(scores))], axis=1))
        return [
            Measurement(
                "ROUGE-L", statistics, "mean", signature("ROUGE-L", texts.items, beta=BETA, tok="ptb")
            )
        ]
