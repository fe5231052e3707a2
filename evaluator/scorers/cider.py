"""CIDEr (Vedantam et al. 2015, https://arxiv.org/abs/1411.5726), as coco-caption computes it: variant D.

Caption and reference are vectors of n-gram counts, weighted by how rare the n-gram is among the images'
references. Their cosine, with the caption's counts clipped to the reference's and a Gaussian penalty on the
difference in length, is averaged over references and n = 1 to 4, times 10.

    >>> references = (("a cat on a mat",), ("two dogs run",), ("a red bus",))
    >>> cider(("a cat on a mat", "two dogs run on grass", "people"), references).round(3).tolist()
    [10.0, 4.869, 0.0]

The document frequencies come from the references being scored; an n-gram that no reference holds is as rare
as one that a single image's references hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt

from evaluator.core import Array, Item, Measurement
from evaluator.errors import ConfigError, NotComputed
from evaluator.scorers.ngrams import (
    Bag,
    Counted,
    CountedReferences,
    Numbers,
    count_captions,
    count_references,
    shared_rows,
)
from evaluator.scorers.references import References
from evaluator.scorers.signature import signature


def cider(
    captions: tuple[str, ...], references: tuple[tuple[str, ...], ...], n: int = 4, sigma: float = 6.0
) -> Array:
    """Scores (N,) from 0 to 10, of one caption an image and its references, at least one an image."""
    counted_references = count_references(references, n)
    counted = count_captions(captions, counted_references)
    cosines = [_cosines(counted, counted_references, order) for order in range(n)]
    of_reference = np.mean(cosines, axis=0)
    if n > 1:  # coco-caption counts the length in bigrams: it knows none where n is 1
        of_reference *= _length_penalties(counted.lengths, counted_references, sigma)
    image_of = counted_references.image_of
    return np.asarray(10.0 * np.bincount(image_of, of_reference) / np.bincount(image_of))


def _cosines(captions: Counted, references: CountedReferences, order: int) -> Array:
    """For each reference, the clipped cosine with its image's caption by n-grams of one order."""
    caption, reference = captions.bags[order], references.bags[order]
    rarity = _rarity(references, order, highest=int(caption.grams.max(initial=0)))
    norms = _norms(caption, rarity, len(captions.lengths))[references.image_of]
    norms = norms * _norms(reference, rarity, len(references.lengths))
    rows = shared_rows(captions, references, order)
    theirs = reference.counts[rows.reference]
    clipped = np.minimum(caption.counts[rows.caption], theirs)
    products = clipped * theirs * rarity[reference.grams[rows.reference]] ** 2
    dots = np.bincount(reference.texts[rows.reference], products, minlength=len(norms))
    return np.divide(dots, norms, out=np.zeros_like(norms), where=norms > 0)


def _rarity(references: CountedReferences, order: int, highest: int) -> Array:
    """log(images / images whose references hold the n-gram), for each n-gram's number up to `highest`."""
    frequencies = references.document_frequencies[order]
    unknown = max(0, highest + 1 - len(frequencies))
    padded = np.pad(frequencies, (0, unknown))
    return np.asarray(np.log(references.images) - np.log(np.maximum(padded, 1)))


def _norms(bag: Bag, rarity: Array, texts: int) -> Array:
    return np.sqrt(np.bincount(bag.texts, (bag.counts * rarity[bag.grams]) ** 2, minlength=texts))


def _length_penalties(lengths: Numbers, references: CountedReferences, sigma: float) -> Array:
    difference = lengths[references.image_of] - references.lengths
    return np.asarray(np.exp(-(difference**2) / (2 * sigma**2)))


@dataclass(frozen=True)
class CIDEr:
    """Scores captions by the n-grams that they share with their references and with few other images."""

    n: Annotated[int, Ge(1)] = 4
    sigma: Annotated[float, Gt(0)] = 6.0
    idf: str = "corpus"

    def __post_init__(self) -> None:
        if self.idf != "corpus":
            raise ConfigError(
                f"scorer.cider.idf: {self.idf!r} is unknown. There is only 'corpus', the document "
                "frequencies of the references being scored. Type scorer.cider.idf=corpus"
            )

    @property
    def names(self) -> tuple[str, ...]:
        return ("CIDEr",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """CIDEr, the mean over the images. Raises NotComputed for fewer than two images with references."""
        texts = References.of(items, captions, "CIDEr")
        if len(texts.items) < 2:
            raise NotComputed(
                "CIDEr weighs words by how many images share them, and with one image every weight is zero: "
                "score two images or more, better the whole data set"
            )
        scores = cider(texts.captions, texts.references, self.n, self.sigma)
        statistics = texts.spread(np.stack([scores, np.ones(len(scores))], axis=1))
        described = signature(
            "CIDEr", texts.items, variant="D", n=self.n, sigma=self.sigma, tok="ptb", idf=self.idf
        )
        return [Measurement("CIDEr", statistics, "mean", described)]
