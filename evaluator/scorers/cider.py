"""CIDEr (Vedantam et al. 2015, https://arxiv.org/abs/1411.5726), as coco-caption computes it, and plain.

Caption and reference are vectors of n-gram counts, weighted by how rare the n-gram is among the images'
references. Their cosine is averaged over references and n = 1 to 4, times 10. That is plain CIDEr, as the
authors' own program computes it (`cider_scorer.py` of github.com/vrama91/cider). Variant D, which everybody
reports as CIDEr, clips the caption's counts to the reference's and punishes a difference in length.

    >>> references = (("a cat on a mat",), ("two dogs run",), ("a red bus",))
    >>> cider(("a cat on a mat", "two dogs run on grass", "people"), references).round(3).tolist()
    [10.0, 4.869, 0.0]

The document frequencies come from the references being scored, or from a table that was made from others
(evaluator/scorers/idf.py); an n-gram that none of them holds is as rare as one of a single image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Annotated, Literal

import numpy as np
from annotated_types import Ge, Gt

from evaluator.core import Array, Item, Measurement
from evaluator.errors import NotComputed
from evaluator.scorers.idf import CORPUS, Table, find_table, read_table
from evaluator.scorers.prepared import Compared, PreparedReferences, compared, prepare
from evaluator.scorers.references import References
from evaluator.scorers.signature import signature
from evaluator.scorers.sorted_keys import Numbers


@dataclass(frozen=True, eq=False)
class Weights:
    """What the references' n-grams weigh, for each order."""

    images: int
    of_gram: tuple[Array, ...]
    of_reference: tuple[Array, ...]  # the lengths of the references' vectors
    in_table: tuple[Numbers, ...] = ()  # the table's number of each n-gram


def cider(
    captions: tuple[str, ...],
    references: tuple[tuple[str, ...], ...],
    n: int = 4,
    sigma: float = 6.0,
    variant: str = "D",
    table: Table | None = None,
) -> Array:
    """Scores (N,) from 0 to 10, of one caption an image and its references, at least one an image."""
    prepared = prepare(references, n)
    found = compared(captions, prepared)
    weights = weigh(prepared, table)
    of_gram = with_new(weights, found, prepared, table)
    cosines = [
        _cosines(found, prepared, order, of_gram[order], weights.of_reference[order], clip=variant == "D")
        for order in range(n)
    ]
    of_reference = np.mean(cosines, axis=0)
    if variant == "D" and n > 1:  # coco-caption counts the length in bigrams: it knows none where n is 1
        of_reference *= _length_penalties(found.texts.words.lengths, prepared, sigma)
    image_of = prepared.image_of
    return np.asarray(10.0 * np.bincount(image_of, of_reference) / np.bincount(image_of))


@lru_cache(maxsize=2)
def weigh(references: PreparedReferences, table: Table | None) -> Weights:
    """Remembered for the next system."""
    orders = range(len(references.ngrams))
    if table is None:
        images, in_table = references.images, []
        frequencies = [references.document_frequencies(order) for order in orders]
    else:
        images, in_table = table.images, table.numbers(list(references.vocabulary), references.pairs)
        frequencies = [table.frequency(order, numbers) for order, numbers in enumerate(in_table)]
    of_gram = tuple(_rarity(known, images) for known in frequencies)
    texts = len(references.image_of)
    of_reference = tuple(
        _norms(ngrams.texts, ngrams.values, np.repeat(weights[ngrams.grams], ngrams.sizes), texts)
        for ngrams, weights in zip(references.ngrams, of_gram, strict=False)
    )
    return Weights(images, of_gram, of_reference, tuple(in_table))


def with_new(
    weights: Weights, captions: Compared, references: PreparedReferences, table: Table | None
) -> list[Array]:
    """The weights of the references' n-grams, then of those that only the captions hold, for each order."""
    words = list(islice(captions.vocabulary, len(references.vocabulary), None))
    if table is None:
        sizes = [len(words), *map(len, captions.new_pairs)]
        new = [np.full(size, np.log(weights.images)) for size in sizes]
    else:
        numbers = table.numbers(words, captions.new_pairs, weights.in_table)
        new = [
            _rarity(table.frequency(order, found[len(known) :]), weights.images)
            for order, (found, known) in enumerate(zip(numbers, weights.in_table, strict=True))
        ]
    return [np.concatenate(both) for both in zip(weights.of_gram, new, strict=True)]


def _cosines(
    captions: Compared,
    references: PreparedReferences,
    order: int,
    of_gram: Array,
    of_reference: Array,
    clip: bool,
) -> Array:
    """For each reference, the cosine with its image's caption by n-grams of one order."""
    bag, shared, ngrams = captions.bags[order], captions.shared[order], references.ngrams[order]
    of_caption = _norms(bag.texts, bag.counts, of_gram[bag.grams], len(captions.texts.words.lengths))
    norms = of_caption[references.image_of] * of_reference
    theirs, ours = ngrams.values[shared.rows], bag.counts[shared.row_of]
    products = (np.minimum(ours, theirs) if clip else ours) * theirs * of_gram[bag.grams[shared.row_of]] ** 2
    dots = np.bincount(ngrams.texts[shared.rows], products, minlength=len(norms))
    return np.divide(dots, norms, out=np.zeros_like(norms), where=norms > 0)


def _rarity(frequencies: Numbers, images: int) -> Array:
    """log(images / images whose references hold the n-gram), for each n-gram."""
    return np.asarray(np.log(images) - np.log(np.maximum(frequencies, 1)))


def _norms(texts: Numbers, counts: Numbers, weights: Array, total: int) -> Array:
    return np.sqrt(np.bincount(texts, (counts * weights) ** 2, minlength=total))


def _length_penalties(lengths: Numbers, references: PreparedReferences, sigma: float) -> Array:
    difference = lengths[references.image_of] - references.lengths
    return np.asarray(np.exp(-(difference**2) / (2 * sigma**2)))


@dataclass(frozen=True)
class CIDEr:
    """Scores captions by the n-grams that they share with their references and with few other images."""

    variant: Literal["D", "plain"] = "D"
    n: Annotated[int, Ge(1)] = 4
    sigma: Annotated[float, Gt(0)] = 6.0
    idf: str = CORPUS

    def __post_init__(self) -> None:
        if self.idf != CORPUS:
            find_table(self.idf)

    @property
    def names(self) -> tuple[str, ...]:
        return ("CIDEr" if self.variant == "D" else "CIDEr-plain",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """CIDEr, the mean over the images.

        Raises NotComputed where there are no references, and for one image without a table.
        """
        (name,) = self.names
        texts = References.of(items, captions, name)
        table = None if self.idf == CORPUS else read_table(find_table(self.idf))
        if table is None and len(texts.items) < 2:
            raise NotComputed(
                f"{name} weighs words by how many images share them, and with one image every weight is zero:"
                " score two images or more, better the whole data set, or make a table of its weights: "
                "evaluator idf REFERENCES --name NAME, then scorer.cider.idf=NAME"
            )
        if table and table.longest < self.n:
            raise NotComputed(
                f"{name} counts n-grams of up to {self.n} words (scorer.cider.n), and the table "
                f"{self.idf} has those of up to {table.longest}: type scorer.cider.n={table.longest}"
            )
        scores = cider(texts.captions, texts.references, self.n, self.sigma, self.variant, table)
        statistics = texts.spread(np.stack([scores, np.ones(len(scores))], axis=1))
        penalty = {"sigma": self.sigma} if self.variant == "D" else {}
        idf = table.label if table else CORPUS
        described = signature(
            name, texts.items, variant=self.variant, n=self.n, **penalty, tok="ptb", idf=idf
        )
        return [Measurement(name, statistics, "mean", described)]
