"""N-grams of many texts as arrays, counted without a look at any single one.

Words and n-grams are numbers. An n-gram's number comes from the pair (number of its first n-1 words, number
of its last word), by its place in a sorted table of all pairs that are known.

    >>> from evaluator.scorers.vocabulary import Numbering, read
    >>> words = read(["a red cat", "the red cat"], Numbering()).words
    >>> bags, pairs = count([words], [np.empty(0, np.int64)])
    >>> for (bag,) in bags:
    ...     print(bag.texts, bag.grams, bag.counts)
    [0 0 0 1 1 1] [0 1 2 1 2 3] [1 1 1 1 1 1]
    [0 0 1 1] [0 1 1 2] [1 1 1 1]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evaluator.scorers.sorted_keys import Numbers, first_of, group_starts, joined, numbered, second_of, spans
from evaluator.scorers.vocabulary import Sequences


@dataclass(frozen=True, eq=False)
class Bag:
    """How often each n-gram of one order stands in each text: one row a (text, n-gram), sorted by both."""

    texts: Numbers
    grams: Numbers
    counts: Numbers


@dataclass(frozen=True, eq=False)
class Index:
    """What the references of an image hold: for each (image, n-gram), its rows, one a reference."""

    keys: Numbers  # image and n-gram joined, sorted
    starts: Numbers  # of each key's rows; one more than there are keys
    texts: Numbers  # the reference of each row
    values: Numbers  # of each row: how often the reference holds it, or where

    @cached_property
    def sizes(self) -> Numbers:
        """How many references of its image hold each key's n-gram."""
        return np.diff(self.starts)

    @property
    def grams(self) -> Numbers:
        """The n-gram of each key."""
        return second_of(self.keys)

    @cached_property
    def most(self) -> Numbers:
        """The greatest value of each key's rows."""
        return np.maximum.reduceat(self.values, self.starts[:-1]) if len(self.keys) else self.values

    def rows(self, keys: Numbers) -> Numbers:
        """The rows of some keys, given by their places, one key after the other."""
        return spans(self.starts[keys], self.sizes[keys])


def count(parts: Sequence[Sequences], known: Sequence[Numbers]) -> tuple[list[list[Bag]], list[Numbers]]:
    """For each order the bags of the n-grams of 1, 2, ... words; and the pairs of the n-grams that are new.

    The words come in several parts, with a bag for each. `known` are the pairs whose numbers are given, for
    each order from bigrams on.
    """
    grams = [words.numbers for words in parts]
    bags, pairs = [_bags(parts, 1, grams)], []
    for size, known_pairs in enumerate(known, start=2):
        keys = [_pairs(words, size, shorter) for words, shorter in zip(parts, grams, strict=True)]
        grams, new = numbered(keys, known_pairs)
        bags.append(_bags(parts, size, grams))
        pairs.append(new)
    return bags, pairs


def _pairs(words: Sequences, size: int, shorter: Numbers) -> Numbers:
    """The n-grams of `size` words, one text after the other, from the numbers of those a word shorter."""
    sizes = _ngrams_in(words, size)
    begins = spans(_starts(_ngrams_in(words, size - 1)), sizes)
    ends = spans(_starts(words.lengths) + size - 1, sizes)
    return joined(shorter[begins], words.numbers[ends])


def _bags(parts: Sequence[Sequences], size: int, grams: Sequence[Numbers]) -> list[Bag]:
    return [_bag(words, size, numbers) for words, numbers in zip(parts, grams, strict=True)]


def _bag(words: Sequences, size: int, grams: Numbers) -> Bag:
    """Count the n-grams of `size` words, given by their numbers, one text after the other."""
    keys = np.sort(joined(np.repeat(np.arange(len(words.lengths)), _ngrams_in(words, size)), grams))
    starts = group_starts(keys)
    return Bag(first_of(keys[starts]), second_of(keys[starts]), np.diff(np.append(starts, len(keys))))


def _ngrams_in(words: Sequences, size: int) -> Numbers:
    return np.maximum(words.lengths - (size - 1), 0)


def _starts(sizes: Numbers) -> Numbers:
    return np.cumsum(sizes) - sizes


def index(image_of: Numbers, texts: Numbers, grams: Numbers, values: Numbers) -> Index:
    """Gather rows (text, n-gram, value) by the image of their text."""
    keys = joined(image_of[texts], grams)
    order = np.argsort(keys)
    keys = keys[order]
    starts = group_starts(keys)
    return Index(keys[starts], np.append(starts, len(keys)), texts[order], values[order])
