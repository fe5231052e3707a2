"""N-grams of many texts as arrays: counted once for the references, then compared with any system's captions.

Words and n-grams become numbers. An n-gram's number comes from the pair (number of its first n-1 words,
number of its last word), so that no step looks at a single n-gram in Python.

    >>> references = count_references((("a red cat", "the red cat"), ("a dog",)), orders=2)
    >>> captions = count_captions(("a red cat", "a red dog"), references)
    >>> for order in range(2):
    ...     rows = shared_rows(captions, references, order)
    ...     print(len(captions.bags[order].grams), len(rows.caption), references.document_frequencies[order])
    6 7 [2 1 1 1 1]
    4 3 [1 1 1 1]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from evaluator.scorers.tokenizer import tokenize_all

Numbers = NDArray[np.int64]

# Two numbers below 2 ** 31 in one that sorts by the first, then the second.
_SECOND_BITS = 31
_SECOND = (1 << _SECOND_BITS) - 1


@dataclass(frozen=True, eq=False)
class Bag:
    """How often each n-gram of one order stands in each text: one row a (text, n-gram), sorted by both."""

    texts: Numbers
    grams: Numbers
    counts: Numbers


@dataclass(frozen=True, eq=False)
class Counted:
    """Texts by their n-grams; `bags[0]` holds the single words."""

    bags: tuple[Bag, ...]
    lengths: Numbers  # in words, of each text


@dataclass(frozen=True, eq=False)
class CountedReferences(Counted):
    """All references of all images, and the numbers that their words and n-grams were given."""

    image_of: Numbers  # of each reference
    words: dict[str, int]
    pairs: tuple[Numbers, ...]  # sorted; the place of a pair is the number of its n-gram, from bigrams on
    document_frequencies: tuple[Numbers, ...]  # in how many images' references each n-gram stands

    @property
    def images(self) -> int:
        return len(self.references_of_image)

    @property
    def references_of_image(self) -> Numbers:
        return np.bincount(self.image_of)


@dataclass(frozen=True, eq=False)
class Shared:
    """Row numbers in two bags, side by side: the same n-gram in a caption and in a reference of its image."""

    caption: Numbers
    reference: Numbers


@lru_cache(maxsize=2)
def count_references(references: tuple[tuple[str, ...], ...], orders: int = 4) -> CountedReferences:
    """Count the n-grams of 1 to `orders` words; each image must have a reference.

    The last two data sets are remembered: each metric and each system of a comparison needs the same.
    """
    texts = _texts(tuple(text for of_image in references for text in of_image))
    image_of = np.repeat(np.arange(len(references)), [len(of_image) for of_image in references])
    numbers: dict[str, int] = {}
    counted, pairs = _count(texts, numbers, [np.empty(0, np.int64)] * (orders - 1))
    frequencies = tuple(
        np.bincount(np.unique(_joined(image_of[bag.texts], bag.grams)) & _SECOND, minlength=1)
        for bag in counted.bags
    )
    return CountedReferences(counted.bags, counted.lengths, image_of, numbers, pairs, frequencies)


def count_captions(captions: tuple[str, ...], references: CountedReferences) -> Counted:
    """Count one caption an image, by the references' numbers; what no reference holds comes after them."""
    counted, _ = _count(_texts(captions), dict(references.words), references.pairs)
    return counted


def shared_rows(captions: Counted, references: CountedReferences, order: int) -> Shared:
    """Where a caption and a reference of its image hold the same n-gram."""
    caption, reference = captions.bags[order], references.bags[order]
    known = _joined(caption.texts, caption.grams)
    place, found = _places(_joined(references.image_of[reference.texts], reference.grams), known)
    return Shared(place[found], np.flatnonzero(found))


def _texts(texts: tuple[str, ...]) -> list[list[str]]:
    # coco-caption joins the tokens and splits them at any white space: a hard space cuts a token here.
    return [" ".join(tokens).split() for tokens in tokenize_all(texts)]


def _count(
    texts: Sequence[Sequence[str]], numbers: dict[str, int], known_pairs: Sequence[Numbers]
) -> tuple[Counted, tuple[Numbers, ...]]:
    """The texts' bags, and the pairs that gave their n-grams numbers. New words are added to `numbers`."""
    lengths = np.array([len(words) for words in texts], np.int64)
    words = np.array([numbers.setdefault(word, len(numbers)) for words in texts for word in words], np.int64)
    text_of = np.repeat(np.arange(len(texts)), lengths)
    starts, grams = np.arange(len(words)), words
    bags, pairs = [_bag(text_of, grams)], []
    for size, known in enumerate(known_pairs, start=2):
        last = starts + size - 1
        inside = last < len(words)
        inside[inside] = text_of[last[inside]] == text_of[starts[inside]]
        starts, last, grams = starts[inside], last[inside], grams[inside]
        grams, pair = _numbered(_joined(grams, words[last]), known)
        bags.append(_bag(text_of[starts], grams))
        pairs.append(pair)
    return Counted(tuple(bags), lengths), tuple(pairs)


def _bag(texts: Numbers, grams: Numbers) -> Bag:
    keys, counts = np.unique(_joined(texts, grams), return_counts=True)
    return Bag(keys >> _SECOND_BITS, keys & _SECOND, counts)


def _numbered(keys: Numbers, known: Numbers) -> tuple[Numbers, Numbers]:
    """A number for each key, its place among the known ones or beyond them; and all keys by number."""
    place, found = _places(keys, known)
    new, numbers = np.unique(keys[~found], return_inverse=True)
    place[~found] = len(known) + numbers
    return place, np.concatenate([known, new])


def _places(keys: Numbers, known: Numbers) -> tuple[Numbers, NDArray[np.bool_]]:
    """Where each key stands in the sorted `known`, and whether it does."""
    place = np.searchsorted(known, keys)
    found = place < len(known)
    found[found] = known[place[found]] == keys[found]
    return place, found


def _joined(first: Numbers, second: Numbers) -> Numbers:
    return (first << _SECOND_BITS) | second
