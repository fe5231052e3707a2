"""References prepared once, for BLEU, ROUGE-L and CIDEr together.

What takes long - tokens, n-grams, which reference of an image holds which of them - is done once per data
set, remembered, and kept in the cache folder for the next process.

    >>> references = prepare((("a red cat", "the red cat"), ("a dog",)))
    >>> dict(zip(references.vocabulary, references.frequencies[0].tolist(), strict=True))
    {'': 0, 'a': 2, 'red': 1, 'cat': 1, 'the': 1, 'dog': 1}
    >>> [len(pairs) for pairs in references.pairs]
    [4, 2, 0]
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluator.scorers.array_files import read_arrays, write_arrays
from evaluator.scorers.ngrams import Index, count, index
from evaluator.scorers.sorted_keys import Numbers, first_of, group_starts, joined, second_of
from evaluator.scorers.vocabulary import NO_TOKEN, Numbering, Sequences, read

ORDERS = 4  # of n-grams: BLEU needs them, and CIDEr unless told otherwise

WORTH_KEEPING = 500  # references: fewer are prepared about as fast as read from disk

# What prepared references depend on besides the texts.
MADE_BY = (
    *("tokenizer/abbreviations", "tokenizer/characters", "tokenizer/rules", "tokenizer/ptb", "vocabulary"),
    *("sorted_keys", "ngrams", "prepared"),
)

IMAGES_OF_A_PART = 1 << 11

# A reference of more tokens does not fit into the bits of one machine word.
BITS = 64


@dataclass(frozen=True, eq=False)
class Part:
    """The references of some images that follow each other; images and references count from 0 within it."""

    image_of: Numbers  # of each reference
    tokens: Sequences
    lengths: Numbers  # in words, of each reference
    ngrams: tuple[Index, ...]  # of 1, 2, ... words, with how often a reference holds them
    positions: Index  # of tokens, with a bit for each place where the token stands; up to 64 tokens

    @property
    def images(self) -> int:
        return int(self.image_of[-1]) + 1

    @property
    def first_of_image(self) -> Numbers:
        """The first reference of each image."""
        return group_starts(self.image_of)


@dataclass(frozen=True, eq=False)
class PreparedReferences:
    """All references of all images, and the numbers of their words and n-grams."""

    vocabulary: Numbering
    pairs: tuple[Numbers, ...]  # of bigrams, trigrams, ...: the place of a pair is its n-gram's number
    frequencies: tuple[Numbers, ...]  # in how many images' references each n-gram of 1, 2, ... words stands
    parts: tuple[Part, ...]

    @property
    def images(self) -> int:
        return sum(part.images for part in self.parts)


def prepare(references: tuple[tuple[str, ...], ...], orders: int = ORDERS) -> PreparedReferences:
    """Tokenize and count, n-grams of up to `orders` words at least; each image must have a reference.

    The last two data sets are remembered, and what is asked for with four or fewer is one of them.
    """
    return _prepare(references, max(orders, ORDERS))


@lru_cache(maxsize=2)
def _prepare(references: tuple[tuple[str, ...], ...], orders: int) -> PreparedReferences:
    if sum(map(len, references)) < WORTH_KEEPING:
        return made_from(references, orders)
    key = digest(references, orders)
    if arrays := read_arrays("references", key):
        return from_arrays(arrays)
    prepared = made_from(references, orders)
    write_arrays("references", key, to_arrays(prepared))
    return prepared


def digest(references: tuple[tuple[str, ...], ...], orders: int) -> str:
    """Of all that prepared references come from: the texts, and the program text that prepares them."""
    texts = [text for of_image in references for text in of_image]
    hashed = hashlib.sha256(made_by())
    hashed.update(np.array([orders, len(references), *map(len, references), *map(len, texts)]).tobytes())
    hashed.update("".join(texts).encode("utf-8", "surrogatepass"))
    return hashed.hexdigest()


@cache
def made_by() -> bytes:
    """A digest of the modules that make tokens and n-grams: none of them can change behind a file's back."""
    sources = [(Path(__file__).parent / f"{module}.py").read_bytes() for module in MADE_BY]
    return hashlib.sha256(b"".join(hashlib.sha256(source).digest() for source in sources)).digest()


def made_from(references: tuple[tuple[str, ...], ...], orders: int) -> PreparedReferences:
    """Tokenize and count, some images at a time: what is needed for them stays in the processor's cache."""
    vocabulary = Numbering([NO_TOKEN])
    parts = [
        references[first : first + IMAGES_OF_A_PART] for first in range(0, len(references), IMAGES_OF_A_PART)
    ]
    texts = [read([text for of_image in some for text in of_image], vocabulary) for some in parts]
    images = [np.repeat(np.arange(len(some)), list(map(len, some))) for some in parts]
    bags, pairs = count([some.words for some in texts], [np.empty(0, np.int64)] * (orders - 1))
    ngrams = [
        [
            index(image_of, bag.texts, bag.grams, bag.counts)
            for image_of, bag in zip(images, of_order, strict=True)
        ]
        for of_order in bags
    ]
    frequencies = [
        np.bincount(np.concatenate([some.grams for some in of_order]), minlength=total)
        for of_order, total in zip(ngrams, [len(vocabulary), *map(len, pairs)], strict=True)
    ]
    return PreparedReferences(
        vocabulary,
        tuple(pairs),
        tuple(frequencies),
        tuple(
            Part(image_of, some.tokens, some.words.lengths, of_part, positions(image_of, some.tokens))
            for image_of, some, of_part in zip(images, texts, zip(*ngrams, strict=True), strict=True)
        ),
    )


def positions(image_of: Numbers, tokens: Sequences) -> Index:
    """Which reference holds which token where, for the references of 1 to 64 tokens."""
    fits = np.repeat(tokens.lengths <= BITS, tokens.lengths)
    bits = np.left_shift(np.uint64(1), tokens.places[fits].astype(np.uint64))
    keys = joined(tokens.text_of[fits], tokens.numbers[fits])
    order = np.argsort(keys)
    starts = group_starts(keys[order])
    masks = np.bitwise_or.reduceat(bits[order], starts) if len(starts) else bits
    keys = keys[order[starts]]
    return index(image_of, first_of(keys), second_of(keys), masks.view(np.int64))


def to_arrays(prepared: PreparedReferences) -> dict[str, NDArray[Any]]:
    """All of it as named arrays, for a file."""
    vocabulary = "\n".join(prepared.vocabulary).encode(
        "utf-8", "surrogatepass"
    )  # no token holds a line break
    arrays: dict[str, NDArray[Any]] = {"vocabulary": np.frombuffer(vocabulary, np.uint8)}
    arrays |= {f"pairs {order}": pairs for order, pairs in enumerate(prepared.pairs, 2)}
    arrays |= {f"frequencies {order}": counts for order, counts in enumerate(prepared.frequencies, 1)}
    for place, part in enumerate(prepared.parts):
        arrays |= {
            f"{place} image_of": part.image_of,
            f"{place} tokens": part.tokens.numbers,
            f"{place} token_lengths": part.tokens.lengths,
            f"{place} lengths": part.lengths,
        }
        for name, found in [*enumerate(part.ngrams, 1), ("positions", part.positions)]:
            arrays |= {f"{place} {name} {field.name}": getattr(found, field.name) for field in fields(Index)}
    return arrays


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> PreparedReferences:
    orders = sum(name.startswith("frequencies ") for name in arrays)
    parts = sum(name.endswith(" image_of") for name in arrays)

    def found(place: int, name: object) -> Index:
        return Index(*(arrays[f"{place} {name} {field.name}"] for field in fields(Index)))

    return PreparedReferences(
        Numbering(arrays["vocabulary"].tobytes().decode("utf-8", "surrogatepass").split("\n")),
        tuple(arrays[f"pairs {order}"] for order in range(2, orders + 1)),
        tuple(arrays[f"frequencies {order}"] for order in range(1, orders + 1)),
        tuple(
            Part(
                arrays[f"{place} image_of"],
                Sequences(arrays[f"{place} tokens"], arrays[f"{place} token_lengths"]),
                arrays[f"{place} lengths"],
                tuple(found(place, order) for order in range(1, orders + 1)),
                found(place, "positions"),
            )
            for place in range(parts)
        ),
    )
