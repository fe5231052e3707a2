"""CIDEr (Vedantam et al. 2015, https://arxiv.org/abs/1411.5726), as coco-caption computes it, and plain.

Caption and reference are vectors of n-gram counts. Each count is weighted by how rare the n-gram is:
log(images / images whose references hold it). CIDEr is their cosine, averaged over the references and over
n = 1 to 4, times 10. This is plain CIDEr, as the authors' own program computes it (`cider_scorer.py` of
github.com/vrama91/cider). Variant D, which is what papers report as CIDEr, clips the caption's counts to the
reference's, and multiplies the cosine by exp(-d^2 / 2 sigma^2) for a difference of d words in length.

    >>> references = (("a cat on a mat",), ("two dogs run",), ("a red bus",))
    >>> cider(("a cat on a mat", "two dogs run on grass", "people"), references).round(3).tolist()
    [10.0, 4.869, 0.0]

The document frequencies come from the references being scored, or from a table of another data set
(evaluator/scorers/idf.py). An n-gram that no image holds has the weight of one that a single image holds.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Protocol

import numpy as np
from annotated_types import Ge, Gt, Le

from evaluator.core import Array, Item, Measurement
from evaluator.core.errors import MetricError
from evaluator.scorers import in_parts
from evaluator.scorers.document_frequencies import document_frequencies
from evaluator.scorers.idf import (
    CORPUS,
    find_table,
    is_kept_table,
    make_table,
    read_table,
    table_path,
    write_table,
)
from evaluator.scorers.ngram_counts import LONGEST, Counts, ReferenceCounts, caption_counts, reference_counts
from evaluator.scorers.packed_keys import Ids
from evaluator.scorers.references import items_with_references, rows_by_references, rows_of_mean
from evaluator.scorers.signature import signature

if TYPE_CHECKING:
    from scipy.sparse import csr_array


class Frequencies(Hashable, Protocol):
    """Document frequencies that were counted before."""

    @property
    def images(self) -> int: ...

    def of_ngrams(self, n: int, texts: Counts) -> Ids:
        """For each n-gram of n words in the texts the number of images; 0 or 1 may stand for each other."""


def cider(
    captions: tuple[str, ...],
    references: tuple[tuple[str, ...], ...],
    n: int = LONGEST,
    sigma: float = 6.0,
    variant: str = "D",
    table: Frequencies | None = None,
) -> Array:
    """Scores (N,) from 0 to 10: one caption per image, and at least one reference per image.

    Without a table, the document frequencies are those of the references.
    """
    of_references = reference_counts(references)
    of_captions = caption_counts(captions, of_references)
    image = of_references.image
    cosines = []
    for words in range(1, n + 1):
        reference, reference_norm = weighted_references(of_references, words, table)
        caption = weighted(of_captions.counts[words - 1], rarity(of_captions, words, of_references, table))
        norms = norm(caption)[image] * reference_norm
        caption = caption[:, : reference.shape[1]][image]
        if variant == "D":
            caption = caption.minimum(reference)
        dot = caption.multiply(reference).sum(axis=1)
        cosines.append(np.divide(dot, norms, out=np.zeros_like(dot), where=norms > 0))
    similarity = np.mean(cosines, axis=0)
    if variant == "D" and n > 1:  # coco-caption takes lengths from the bigrams, and with n = 1 it has none
        difference = of_captions.lengths[image] - of_references.lengths
        similarity *= np.exp(-(difference**2) / (2 * sigma**2))
    return 10.0 * np.bincount(image, similarity) / np.bincount(image)


@lru_cache(maxsize=2 * LONGEST)
def weighted_references(
    references: ReferenceCounts, n: int, table: Frequencies | None
) -> tuple[csr_array, Array]:
    """The references' vectors for n-grams of n words, and their norms. The last few are remembered."""
    vectors = weighted(references.counts[n - 1], rarity(references, n, references, table))
    return vectors, norm(vectors)


def rarity(texts: Counts, n: int, references: ReferenceCounts, table: Frequencies | None) -> Array:
    """For each n-gram of n words in the texts: log(images / images whose references hold it)."""
    if table is None:
        images, frequencies = len(references.first_of_image), references.document_frequencies(n)
        frequencies = np.pad(frequencies, (0, texts.counts[n - 1].shape[1] - len(frequencies)))
    else:
        images, frequencies = table.images, table.of_ngrams(n, texts)
    weights: Array = np.log(images) - np.log(np.maximum(frequencies, 1))
    return weights


def weighted(counts: csr_array, weights: Array) -> csr_array:
    """Each column times its weight."""
    vectors = counts.copy()
    vectors.data *= weights[counts.indices]
    return vectors


def norm(vectors: csr_array) -> Array:
    """The length of each row as a vector."""
    return np.asarray(np.sqrt(vectors.power(2).sum(axis=1)))


@dataclass(frozen=True)
class CIDEr:
    """Scores captions by the n-grams that they share with their references and with few other images."""

    kind: ClassVar[str] = "cider"

    variant: Literal["D", "plain"] = "D"
    n: Annotated[int, Ge(1), Le(LONGEST)] = LONGEST
    sigma: Annotated[float, Gt(0)] = 6.0
    idf: str = field(default=CORPUS, metadata={"recorded": is_kept_table})

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

        Raises MetricError where there are no references, and for one image without a table.
        """
        return in_parts.score_in_parts(self, items, captions)

    def for_parts_of(self, items: Sequence[Item]) -> WeightedCIDEr:
        """With the document frequencies of all images, where these are more than one part."""
        (name,) = self.names
        scored = items_with_references(items, name)
        table = None if self.idf == CORPUS else read_table(find_table(self.idf))
        if table is None and len(scored) < 2:
            raise MetricError(
                f"{name} weighs words by how many images share them, and with one image every weight is zero:"
                " score two images or more, better the whole data set, or make a table of its weights: "
                "evaluator idf REFERENCES --name NAME, then scorer.cider.idf=NAME"
            )
        if table and table.longest < self.n:
            raise MetricError(
                f"{name} counts n-grams of up to {self.n} words (scorer.cider.n), and the table "
                f"{self.idf} has those of up to {table.longest}: type scorer.cider.n={table.longest}"
            )
        if table is None and len(items) > in_parts.IMAGES_A_PART:
            references = tuple([item.references for item in scored])
            return WeightedCIDEr(self, CORPUS, document_frequencies(references, self.n))
        return WeightedCIDEr(self, table.label if table else CORPUS, table)


@dataclass(frozen=True)
class WeightedCIDEr:
    """CIDEr with the weights of n-grams; those of the references being scored where there is no table."""

    options: CIDEr
    idf: str  # the weights in the signature
    table: Frequencies | None

    def rows(self, items: Sequence[Item], captions: Sequence[str]) -> Array:
        return rows_by_references(items, captions, 2, self._statistics)

    def measurements(self, items: Sequence[Item], rows: Array) -> list[Measurement]:
        options, (name,) = self.options, self.options.names
        penalty = {"sigma": options.sigma} if options.variant == "D" else {}
        described = signature(
            name,
            items_with_references(items, name),
            variant=options.variant,
            n=options.n,
            **penalty,
            tok="ptb",
            idf=self.idf,
        )
        return [Measurement(name, rows, "mean", described)]

    def _statistics(self, captions: tuple[str, ...], references: tuple[tuple[str, ...], ...]) -> Array:
        options = self.options
        return rows_of_mean(
            cider(captions, references, options.n, options.sigma, options.variant, self.table)
        )
