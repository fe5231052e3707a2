"""CLIPScore of long captions: the mean over a caption's sentences.

A CLIP reads 77 tokens, about 50 words, and was trained on shorter texts still. So the end of a long caption
is not read, and what is read is one vector of everything. Here each sentence is compared with the picture by
itself, as CLIPScore compares a caption (Hessel et al. 2021, https://arxiv.org/abs/2104.08718). A caption of
one sentence has its CLIPScore. A caption scores high only if each of its sentences fits the picture. What it
leaves out does not count.

    >>> mean_per_caption(np.array([0.5, 0.7, 0.9]), [2, 1]).tolist()
    [0.6, 0.9]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from evaluator.core import Array, Item, Measurement
from evaluator.core.sentences import sentences
from evaluator.scorers.clipscore import CLIPScore, clip_score


@dataclass(frozen=True)
class CLIPScoreSentences(CLIPScore):
    """Scores each sentence of a caption against the picture."""

    kind: ClassVar[str] = "clipscore-sentences"
    group: ClassVar[str] = "scorer.clipscore_sentences"

    @property
    def names(self) -> tuple[str, ...]:
        return ("CLIPScore-sentences",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Raises MetricError with the reason."""
        encoder = self.encoder(items)
        parts = [sentences(caption) or [caption] for caption in captions]
        counts = [len(of_caption) for of_caption in parts]
        texts = [self.prefix + sentence for of_caption in parts for sentence in of_caption]
        pictures = np.repeat(encoder.images([item.image for item in items]), counts, axis=0)
        per_sentence = clip_score(pictures, encoder.texts(texts, "sentences"), self.weight)
        tokens = encoder.token_counts(texts)
        longest = [max(of_caption) for of_caption in np.split(tokens, np.cumsum(counts)[:-1])]
        scores = mean_per_caption(per_sentence, counts)
        return [self.measurement(self.names[0], scores, items, encoder, longest)]


def mean_per_caption(scores: Array, counts: Sequence[int]) -> Array:
    """Scores of all sentences, and how many sentences each caption has, at least one -> (captions,)."""
    starts = np.cumsum([0, *counts[:-1]])
    return np.asarray(np.add.reduceat(scores, starts) / np.array(counts))
