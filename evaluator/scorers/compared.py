"""Captions beside their images' references: found out once, for BLEU, ROUGE-L and CIDEr together.

>>> from evaluator.scorers.prepared import prepare
>>> references = prepare((("a red cat", "the red cat"), ("a dog",)))
>>> found = compared(("a red cat", "a red dog"), references)
>>> (part,) = found.parts
>>> [len(bag.grams) for bag in part.bags], [len(shared.rows) for shared in part.shared]
([6, 4, 2, 0], [7, 3, 1, 0])
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np

from evaluator.scorers.ngrams import Bag, Index, count
from evaluator.scorers.prepared import PreparedReferences
from evaluator.scorers.sorted_keys import Numbers, joined, places
from evaluator.scorers.vocabulary import Sequences, read


@dataclass(frozen=True, eq=False)
class Shared:
    """Where a caption and the references of its image hold the same n-gram, for one order."""

    held: Numbers  # rows of the caption's bag that any reference holds
    keys: Numbers  # beside them, the place of the same n-gram in the references' index
    rows: Numbers  # the rows of all those keys in the index, one a reference
    row_of: Numbers  # beside them, the row of the caption's bag


@dataclass(frozen=True, eq=False)
class ComparedPart:
    """The captions of some images that follow each other; images count from 0 within it."""

    tokens: Sequences
    lengths: Numbers  # in words, of each caption
    bags: tuple[Bag, ...]  # n-grams of 1, 2, ... words
    shared: tuple[Shared, ...]


@dataclass(frozen=True, eq=False)
class Compared:
    """One caption an image, beside the references."""

    new_words: tuple[str, ...]  # what no reference holds; their numbers come after the vocabulary's
    new_pairs: tuple[Numbers, ...]  # likewise, for each order from bigrams on
    parts: tuple[ComparedPart, ...]  # the same images as the references' parts


@lru_cache(maxsize=2)
def compared(captions: tuple[str, ...], references: PreparedReferences) -> Compared:
    """Tokenize and count one caption an image. The last two systems are remembered."""
    vocabulary = references.vocabulary.copied()
    ends = np.cumsum([part.images for part in references.parts]).tolist()
    texts = [read(captions[start:end], vocabulary) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    bags, new_pairs = count([some.words for some in texts], references.pairs)
    parts = tuple(
        ComparedPart(some.tokens, some.words.lengths, of_part, tuple(map(_shared, of_part, part.ngrams)))
        for some, of_part, part in zip(texts, zip(*bags, strict=True), references.parts, strict=True)
    )
    return Compared(tuple(islice(vocabulary, len(references.vocabulary), None)), tuple(new_pairs), parts)


def _shared(bag: Bag, references: Index) -> Shared:
    place, found = places(joined(bag.texts, bag.grams), references.keys)
    held, keys = np.flatnonzero(found), place[found]
    return Shared(held, keys, references.rows(keys), np.repeat(held, references.sizes[keys]))
