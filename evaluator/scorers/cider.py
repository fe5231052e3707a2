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
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, ClassVar, Literal

import numpy as np
from annotated_types import Ge, Gt

from evaluator.core import Array, Item, Measurement
from evaluator.core.errors import NotComputed
from evaluator.scorers.compared import Compared, ComparedPart, compared
from evaluator.scorers.idf import (
    CORPUS,
    Table,
    find_table,
    make_table,
    read_table,
    table_path,
    write_table,
)
from evaluator.scorers.prepared import Part, PreparedReferences, prepare
from evaluator.scorers.references import References
from evaluator.scorers.signature import signature
from evaluator.scorers.sorted_keys import Numbers, at


@dataclass(frozen=True, eq=False)
class Weights:
    """What n-grams weigh, and how long that makes the references' vectors."""

    of_frequency: Array  # of an n-gram that so many images' references hold
    frequencies: tuple[Numbers, ...]  # for each order, by the number of the n-gram
    of_reference: tuple[tuple[Array, ...], ...]  # for each part of the references, for each order
    in_table: tuple[Numbers, ...] = ()  # for each order, the table's number of each n-gram


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
    new = new_frequencies(found, weights, table)
    scores = []
    for part, captions_of, lengths in zip(prepared.parts, found.parts, weights.of_reference, strict=True):
        cosines = []
        for order in range(n):
            of_row = weights.of_frequency[
                at(captions_of.bags[order].grams, weights.frequencies[order], new[order])
            ]
            cosines.append(_cosines(captions_of, part, order, of_row, lengths[order], clip=variant == "D"))
        of_reference = np.mean(cosines, axis=0)
        if variant == "D" and n > 1:  # coco-caption counts the length in bigrams: it knows none where n is 1
            difference = captions_of.lengths[part.image_of] - part.lengths
            of_reference *= np.exp(-(difference**2) / (2 * sigma**2))
        scores.append(10.0 * np.bincount(part.image_of, of_reference) / np.bincount(part.image_of))
    return np.concatenate(scores)


@lru_cache(maxsize=2)
def weigh(references: PreparedReferences, table: Table | None) -> Weights:
    """The weights of the references' n-grams. They are remembered for the next system."""
    images, frequencies = references.images, references.frequencies
    in_table: tuple[Numbers, ...] = ()
    if table is not None:
        images = table.images
        in_table = tuple(table.numbers(list(references.vocabulary), references.pairs))
        frequencies = tuple(table.frequency(order, numbers) for order, numbers in enumerate(in_table))
    # log(images / images whose references hold the n-gram); what none holds is as rare as what one holds.
    of_frequency = np.log(images) - np.log(np.maximum(np.arange(images + 1), 1))
    of_reference = tuple(
        tuple(
            _norms(
                ngrams.texts,
                ngrams.values,
                np.repeat(of_frequency[known[ngrams.grams]], ngrams.sizes),
                part.lengths,
            )
            for ngrams, known in zip(part.ngrams, frequencies, strict=False)
        )
        for part in references.parts
    )
    return Weights(of_frequency, frequencies, of_reference, in_table)


def new_frequencies(found: Compared, weights: Weights, table: Table | None) -> list[Numbers]:
    """For each order, the document frequencies of the n-grams that only captions hold."""
    if table is None:
        return [np.zeros(len(new), np.int64) for new in (found.new_words, *found.new_pairs)]
    numbers = table.numbers(found.new_words, found.new_pairs, weights.in_table)
    return [table.frequency(order, some) for order, some in enumerate(numbers)]


def _cosines(
    captions: ComparedPart, references: Part, order: int, weights: Array, of_reference: Array, clip: bool
) -> Array:
    """For each reference, the cosine with its image's caption by n-grams of one order."""
    bag, shared, ngrams = captions.bags[order], captions.shared[order], references.ngrams[order]
    of_caption = _norms(bag.texts, bag.counts, weights, captions.lengths)
    norms = of_caption[references.image_of] * of_reference
    theirs, ours = ngrams.values[shared.rows], bag.counts[shared.row_of]
    products = (np.minimum(ours, theirs) if clip else ours) * theirs * weights[shared.row_of] ** 2
    dots = np.bincount(ngrams.texts[shared.rows], products, minlength=len(norms))
    return np.divide(dots, norms, out=np.zeros_like(norms), where=norms > 0)


def _norms(texts: Numbers, counts: Numbers, weights: Array, lengths: Numbers) -> Array:
    """The length of each text's vector, of rows (text, count of an n-gram, its weight)."""
    return np.sqrt(np.bincount(texts, (counts * weights) ** 2, minlength=len(lengths)))


@dataclass(frozen=True)
class CIDEr:
    """Scores captions by the n-grams that they share with their references and with few other images."""

    kind: ClassVar[str] = "cider"

    variant: Literal["D", "plain"] = "D"
    n: Annotated[int, Ge(1)] = 4
    sigma: Annotated[float, Gt(0)] = 6.0
    idf: str = CORPUS

    def __post_init__(self) -> None:
        if self.idf != CORPUS:
            find_table(self.idf)

    @property
    def depends_on_corpus(self) -> bool:
        return self.idf == CORPUS

    def pinned_to(self, items: Sequence[Item], name: str) -> CIDEr:
        """The same, with the document frequencies of all these items, kept as a table for the next time."""
        references = tuple(item.references for item in items if item.references)
        if not references:
            return self
        table = make_table(references, name, self.n)
        if not (path := table_path(table.label)).is_file():
            write_table(table, path)
        return replace(self, idf=table.label)

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
