"""How often each text holds each n-gram of 1 to 4 words, as sparse matrices (texts, n-grams).

    >>> references = reference_counts((("a red cat", "the red cat"), ("a dog",)))
    >>> references.image.tolist(), references.counts[0].toarray().astype(int).tolist()
    ([0, 0, 1], [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [1, 0, 0, 0, 1]])
    >>> captions = caption_counts(("a cat", "a cat"), references)
    >>> captions.ngrams[1], captions.counts[1].toarray().astype(int)[:, -1].tolist()
    (['a red', 'a dog', 'red cat', 'the red', 'a cat'], [1, 1])

A column is the id of an n-gram. The n-grams of the references come first and have the same columns in the
captions' matrices; the captions' other n-grams have the columns after them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np

from evaluator.scorers.packed_keys import Ids, lookup, pack, unpack
from evaluator.scorers.vocabulary import TokenIds, Vocabulary, encode

if TYPE_CHECKING:
    from scipy.sparse import csr_array

LONGEST = 4  # words in an n-gram


@dataclass(frozen=True, eq=False)
class Counts:
    """The n-grams of some texts."""

    vocabulary: Vocabulary
    pairs: tuple[
        Ids, ...
    ]  # for n = 2 to 4: each n-gram as (id of the first n - 1 words, id of the last word)
    tokens: TokenIds  # the tokens of each text
    lengths: Ids  # of each text, in words
    counts: tuple[csr_array, ...]  # for n = 1 to 4

    @cached_property
    def ngrams(self) -> tuple[list[str], ...]:
        """For n = 1 to 4 the n-grams in the order of their columns; words are separated by a space."""
        words = list(self.vocabulary)
        ngrams = [words]
        for pairs in self.pairs:
            pairs_of_ids = zip(*map(np.ndarray.tolist, unpack(pairs)), strict=True)
            ngrams.append([f"{ngrams[-1][first]} {words[last]}" for first, last in pairs_of_ids])
        return tuple(ngrams)


@dataclass(frozen=True, eq=False)
class ReferenceCounts(Counts):
    """The n-grams of all references of all images, image by image."""

    image: Ids  # the index of each reference's image

    @property
    def first_of_image(self) -> Ids:
        """The index of each image's first reference."""
        return np.flatnonzero(np.diff(self.image, prepend=-1))

    @cached_property
    def most(self) -> tuple[csr_array, ...]:
        """For n = 1 to 4 (images, n-grams): the largest count in any one reference of the image."""
        return tuple(_largest_of_rows(counts, self.first_of_image) for counts in self.counts)

    def document_frequencies(self, n: int) -> Ids:
        """For each n-gram of n words the number of images whose references hold it."""
        most = self.most[n - 1]
        return np.bincount(most.indices, minlength=most.shape[1])


@lru_cache(maxsize=2)
def reference_counts(references: tuple[tuple[str, ...], ...]) -> ReferenceCounts:
    """Count the references, at least one per image. The last two data sets are remembered."""
    vocabulary = Vocabulary()
    nothing_known = [np.empty(0, np.int64)] * (LONGEST - 1)
    counted = _count(list(chain.from_iterable(references)), vocabulary, nothing_known)
    image = np.repeat(np.arange(len(references)), [len(of_image) for of_image in references])
    return ReferenceCounts(vocabulary, *counted, image)


@lru_cache(maxsize=2)
def caption_counts(captions: tuple[str, ...], references: ReferenceCounts) -> Counts:
    """Count one caption per image. The last two systems are remembered."""
    vocabulary = Vocabulary(references.vocabulary)
    return Counts(vocabulary, *_count(captions, vocabulary, references.pairs))


def _count(
    texts: Sequence[str], vocabulary: Vocabulary, known: Sequence[Ids]
) -> tuple[tuple[Ids, ...], TokenIds, Ids, tuple[csr_array, ...]]:
    """The fields of Counts. New words are added to the vocabulary; `known` pairs keep their ids."""
    encoded = encode(texts, vocabulary)
    lengths = np.array([len(words) for words in encoded.words], np.int64)
    words = np.fromiter(chain.from_iterable(encoded.words), np.int64, lengths.sum())
    words_left = np.repeat(np.cumsum(lengths), lengths) - np.arange(len(words))  # in each word's text
    ids, pairs, counts = words, [], [_matrix(words, lengths, len(vocabulary))]
    for n in range(2, LONGEST + 1):
        start = np.flatnonzero(words_left >= n)
        keys = pack(ids[start], words[start + n - 1])
        ids = np.empty_like(words)
        ids[start], new = _assign_ids(keys, known[n - 2])
        pairs.append(np.concatenate([known[n - 2], new]))
        counts.append(_matrix(ids[start], np.maximum(lengths - n + 1, 0), len(pairs[-1])))
    return tuple(pairs), encoded.tokens, lengths, tuple(counts)


def _assign_ids(keys: Ids, known: Ids) -> tuple[Ids, Ids]:
    """An id for each key, its index in the sorted `known` or the next free number; and the new keys by id."""
    distinct, inverse = np.unique(keys, return_inverse=True)
    ids, present = lookup(distinct, known)
    new = distinct[~present]
    ids[~present] = len(known) + np.arange(len(new))
    return ids[inverse], new


def _matrix(ids: Ids, sizes: Ids, columns: int) -> csr_array:
    """Counts (texts, n-grams) from the ids of the first text's n-grams, then those of the second, ..."""
    from scipy.sparse import csr_array

    row_starts = np.concatenate([[0], np.cumsum(sizes)])
    counts = csr_array((np.ones(len(ids)), ids, row_starts), shape=(len(sizes), columns), copy=True)
    counts.sum_duplicates()  # in place, hence the copy
    return counts


def _largest_of_rows(counts: csr_array, first_rows: Ids) -> csr_array:
    """The largest value of each column in each group of rows; a group begins at each of `first_rows`."""
    from scipy.sparse import csr_array

    row_starts = np.append(counts.indptr[first_rows], counts.nnz)
    groups = csr_array((counts.data, counts.indices, row_starts), shape=(len(first_rows), counts.shape[1]))
    groups = groups.copy()
    groups.sort_indices()
    rows = np.repeat(np.arange(len(first_rows)), np.diff(row_starts))
    first = np.flatnonzero(np.diff(pack(rows, groups.indices), prepend=-1))
    largest = np.maximum.reduceat(groups.data, first) if len(first) else groups.data
    return csr_array((largest, groups.indices[first], np.searchsorted(first, row_starts)), shape=groups.shape)
