"""In how many images each n-gram occurs, also for so many images that their n-grams do not fit into memory.

    >>> counted = document_frequencies((("a red cat",), ("a red bus", "the bus"), ("a dog",)), 2)
    >>> counted.ngrams, [images.tolist() for images in counted.frequencies]
    ((['a', 'red'], ['a red']), [[3, 2], [2]])

Only n-grams of two or more images are kept: one that a single image holds weighs as much as one that none
holds. An n-gram of two images begins with n - 1 words of two images, so n-grams are looked for only where a
shorter one of two images begins. Nothing is estimated: the key of an n-gram is the number of its first n - 1
words and the number of its last word.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from evaluator.scorers import in_parts
from evaluator.scorers.ngram_counts import Counts
from evaluator.scorers.packed_keys import BITS, Ids, lookup, pack, unpack
from evaluator.scorers.vocabulary import Vocabulary, encode

ABSENT = -1  # the number of an n-gram that is not kept
_MOST_BITS = 63  # of a number that is sorted

# The number of what begins at each word of all texts: 32 bits, since there are as many as words.
Numbers = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class DocumentFrequencies:
    """How many images' references hold each n-gram that two or more of them hold."""

    images: int
    words: Mapping[str, int]  # each word's number
    pairs: tuple[Ids, ...]  # for n = 2, 3, ...: (number of the first n - 1 words, number of the last), sorted
    frequencies: tuple[Ids, ...]  # for n = 1, 2, ...: of each n-gram, by its number

    def of_ngrams(self, n: int, texts: Counts) -> Ids:
        """For each n-gram of n words in the texts the number of images, 0 where it is not two or more."""
        words = np.array([self.words.get(word, ABSENT) for word in texts.vocabulary], np.int64)
        numbers = words
        for pairs, kept in zip(texts.pairs[: n - 1], self.pairs, strict=False):
            first, last = unpack(pairs)
            longer = np.full(len(pairs), ABSENT, np.int64)
            known = (numbers[first] != ABSENT) & (words[last] != ABSENT)
            keys = pack(numbers[first[known]], words[last[known]], word_bits(self.words))
            longer[known] = numbers_in(keys, kept)
            numbers = longer
        return np.append(self.frequencies[n - 1], 0)[numbers]  # the last one for ABSENT

    @cached_property
    def ngrams(self) -> tuple[list[str], ...]:
        """For n = 1, 2, ... the n-grams by their numbers; words are separated by a space."""
        words = list(self.words)
        ngrams = [words]
        for pairs in self.pairs:
            numbers = zip(*map(np.ndarray.tolist, unpack(pairs, word_bits(words))), strict=True)
            ngrams.append([f"{ngrams[-1][first]} {words[last]}" for first, last in numbers])
        return tuple(ngrams)


@lru_cache(maxsize=1)
def document_frequencies(references: tuple[tuple[str, ...], ...], longest: int) -> DocumentFrequencies:
    """Count the images of each n-gram of up to `longest` words. The last data set is remembered."""
    vocabulary = Vocabulary()
    parts = [
        Part.of(references[start : start + in_parts.IMAGES_A_PART], vocabulary)
        for start in range(0, len(references), in_parts.IMAGES_A_PART)
    ]
    kept, images = images_of_keys((part.words.astype(np.int64), part.image_of_word) for part in parts)
    number_of = np.full(len(vocabulary), ABSENT, np.int32)
    number_of[kept] = np.arange(len(kept), dtype=np.int32)
    names = list(vocabulary)
    words = {names[each]: number for number, each in enumerate(kept.tolist())}
    parts = [Part(number_of[part.words], part.lengths, part.image, word_bits(words)) for part in parts]
    numbers = [part.words for part in parts]
    pairs, frequencies = [], [images]
    for n in range(2, longest + 1):
        kept, images = images_of_keys(
            (keys, part.image_of_word[start])
            for part, shorter in zip(parts, numbers, strict=True)
            for start, keys in [part.pairs(shorter, n)]
        )
        pairs.append(kept)
        frequencies.append(images)
        if n < longest:
            numbers = [part.numbers(shorter, n, kept) for part, shorter in zip(parts, numbers, strict=True)]
    return DocumentFrequencies(len(references), words, tuple(pairs), tuple(frequencies))


@dataclass(frozen=True, eq=False)
class Part:
    """The references of some images as one row of words, text by text."""

    words: Numbers  # ABSENT for a word that is not kept
    lengths: Ids  # of each text, in words
    image: Ids  # of each text, from 0 in each part
    bits: int = BITS  # of a word's number in a key

    @classmethod
    def of(cls, references: Sequence[Sequence[str]], vocabulary: Vocabulary) -> Part:
        """Its words are numbered as in the vocabulary, which learns the new ones."""
        own = Vocabulary()
        texts = encode(list(chain.from_iterable(references)), own).words
        lengths = np.fromiter(map(len, texts), np.int64, len(texts))
        words = np.fromiter(chain.from_iterable(texts), np.int64, int(lengths.sum()))
        number_of = np.array([vocabulary[word] for word in own], np.int32)
        image = np.repeat(np.arange(len(references)), list(map(len, references)))
        return cls(number_of[words] if len(words) else np.empty(0, np.int32), lengths, image)

    @property
    def image_of_word(self) -> Ids:
        return np.repeat(self.image, self.lengths)

    def pairs(self, shorter: Numbers, n: int) -> tuple[Ids, Ids]:
        """Where n-grams of n words begin whose parts are kept, and the key of each.

        `shorter` has the number of the n-gram of n - 1 words that begins at each word.
        """
        words_left = np.repeat(np.cumsum(self.lengths), self.lengths) - np.arange(len(self.words))
        start = np.flatnonzero((words_left >= n) & (shorter != ABSENT))
        last = self.words[start + n - 1]
        start, last = start[last != ABSENT], last[last != ABSENT]
        return start, pack(shorter[start].astype(np.int64), last.astype(np.int64), self.bits)

    def numbers(self, shorter: Numbers, n: int, kept: Ids) -> Numbers:
        """The number of the n-gram of n words that begins at each word."""
        start, keys = self.pairs(shorter, n)
        numbers = np.full(len(self.words), ABSENT, np.int32)
        numbers[start] = numbers_in(keys, kept)
        return numbers


def word_bits(words: Sized) -> int:
    """How many bits the numbers of these words take. Short keys leave bits for an image's number."""
    return max(1, len(words).bit_length())


def numbers_in(keys: Ids, kept: Ids) -> Ids:
    """The index of each key in the sorted keys that are kept, or ABSENT."""
    distinct, inverse = np.unique(keys, return_inverse=True)
    numbers, is_kept = lookup(distinct, kept)
    return np.where(is_kept, numbers, ABSENT)[inverse]


def images_of_keys(parts: Iterable[tuple[Ids, Ids]]) -> tuple[Ids, Ids]:
    """The keys that two or more images hold, sorted, and their images.

    Each part has images of its own: their keys, and the image of each key.
    """
    tally = Tally()
    for keys, image in parts:
        tally.add(*images_within(keys, image))
    return tally.of_two_or_more()


def images_within(keys: Ids, image: Ids) -> tuple[Ids, Ids]:
    """The distinct keys, sorted, and how many of the images hold each."""
    if not len(keys):
        return keys, keys
    names, bits = None, int(image.max()).bit_length()
    if int(keys.max()).bit_length() + bits > _MOST_BITS:
        names, keys = np.unique(keys, return_inverse=True)
    held = np.sort((keys << bits) | image)
    held = held[np.diff(held, prepend=-1) != 0] >> bits
    first = np.flatnonzero(np.diff(held, prepend=-1))
    distinct = held[first]
    return distinct if names is None else names[distinct], np.diff(first, append=len(held))


class Tally:
    """Counts by key, added part by part; what is added is put in order when it outweighs what is."""

    def __init__(self) -> None:
        self._keys, self._counts = np.empty(0, np.int64), np.empty(0, np.int64)
        self._added: list[tuple[Ids, Ids]] = []

    def add(self, keys: Ids, counts: Ids) -> None:
        self._added.append((keys, counts))
        if sum(len(each) for each, _ in self._added) > len(self._keys):
            self._merge()

    def of_two_or_more(self) -> tuple[Ids, Ids]:
        """The sorted keys whose counts are two or more, and these."""
        self._merge()
        several = self._counts > 1
        return self._keys[several], self._counts[several]

    def _merge(self) -> None:
        keys = np.concatenate([self._keys, *(keys for keys, _ in self._added)])
        counts = np.concatenate([self._counts, *(counts for _, counts in self._added)])
        order = np.argsort(keys, kind="stable")  # quick, since the parts are in order
        keys = keys[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        self._keys = keys[first]
        self._counts = np.add.reduceat(counts[order], first) if len(first) else counts
        self._added = []
