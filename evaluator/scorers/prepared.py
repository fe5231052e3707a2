"""References prepared once, and captions compared with them once, for BLEU, ROUGE-L and CIDEr together.

What takes long - tokens, n-grams, which reference of an image holds which of them - is done once per data
set. A system's captions then need one look for each of their own n-grams.

    >>> references = prepare((("a red cat", "the red cat"), ("a dog",)))
    >>> references.document_frequencies(0).tolist()  # of the words in `list(references.vocabulary)`
    [0, 2, 1, 1, 1, 1]
    >>> found = compared(("a red cat", "a red dog"), references)
    >>> [len(bag.grams) for bag in found.bags], [len(shared.rows) for shared in found.shared]
    ([6, 4, 2, 0], [7, 3, 1, 0])
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
from evaluator.scorers.ngrams import Bag, Index, count, index
from evaluator.scorers.sorted_keys import Numbers, group_starts, joined, places
from evaluator.scorers.vocabulary import NO_TOKEN, Numbering, Sequences, Texts, read

ORDERS = 4  # of n-grams: BLEU needs them, and CIDEr unless told otherwise

WORTH_KEEPING = 500  # references: fewer are prepared about as fast as read from disk

# What prepared references depend on besides the texts.
MADE_BY = (
    *("abbreviations", "characters", "token_rules", "tokenizer", "vocabulary"),
    *("sorted_keys", "ngrams", "prepared"),
)

# A reference of more tokens does not fit into the bits of one machine word.
BITS = 64


@dataclass(frozen=True, eq=False)
class PreparedReferences:
    """All references of all images, one image after the other."""

    image_of: Numbers  # of each reference
    vocabulary: Numbering
    tokens: Sequences
    lengths: Numbers  # in words, of each reference
    pairs: tuple[Numbers, ...]  # of bigrams, trigrams, ...: the place of a pair is its n-gram's number
    ngrams: tuple[Index, ...]  # with how often the reference holds the n-gram
    positions: Index  # of tokens, with a bit for each place where the token stands; up to 64 tokens

    @property
    def images(self) -> int:
        return int(self.image_of[-1]) + 1

    @property
    def first_of_image(self) -> Numbers:
        """The first reference of each image."""
        return group_starts(self.image_of)

    def document_frequencies(self, order: int) -> Numbers:
        """In how many images' references each n-gram of order + 1 words stands, by its number."""
        grams = len(self.pairs[order - 1]) if order else len(self.vocabulary)
        return np.bincount(self.ngrams[order].grams, minlength=grams)


@dataclass(frozen=True, eq=False)
class Shared:
    """Where a caption and the references of its image hold the same n-gram, for one order."""

    held: Numbers  # rows of the caption's bag that any reference holds
    keys: Numbers  # beside them, the place of the same n-gram in the references' index
    rows: Numbers  # the rows of all those keys in the index, one a reference
    row_of: Numbers  # beside them, the row of the caption's bag


@dataclass(frozen=True, eq=False)
class Compared:
    """One caption an image, beside the references."""

    texts: Texts
    vocabulary: Numbering  # the references', and what only the captions hold
    bags: tuple[Bag, ...]
    new_pairs: tuple[Numbers, ...]  # of n-grams that no reference holds; their numbers come after the others
    shared: tuple[Shared, ...]


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
    sources = [Path(__file__).with_name(f"{module}.py").read_bytes() for module in MADE_BY]
    return hashlib.sha256(b"".join(hashlib.sha256(source).digest() for source in sources)).digest()


def made_from(references: tuple[tuple[str, ...], ...], orders: int) -> PreparedReferences:
    image_of = np.repeat(np.arange(len(references)), [len(of_image) for of_image in references])
    vocabulary = Numbering([NO_TOKEN])
    texts = read([text for of_image in references for text in of_image], vocabulary)
    bags, pairs = count(texts.words, [np.empty(0, np.int64)] * (orders - 1))
    return PreparedReferences(
        image_of,
        vocabulary,
        texts.tokens,
        texts.words.lengths,
        tuple(pairs),
        tuple(index(image_of, bag.texts, bag.grams, bag.counts) for bag in bags),
        positions(image_of, texts.tokens),
    )


def to_arrays(prepared: PreparedReferences) -> dict[str, NDArray[Any]]:
    """All of it as named arrays, for a file."""
    vocabulary = "\n".join(prepared.vocabulary).encode(
        "utf-8", "surrogatepass"
    )  # no token holds a line break
    arrays: dict[str, NDArray[Any]] = {
        "vocabulary": np.frombuffer(vocabulary, np.uint8),
        **{name: getattr(prepared, name) for name in ("image_of", "lengths")},
        "token_numbers": prepared.tokens.numbers,
        "token_lengths": prepared.tokens.lengths,
        **{f"pairs{order}": pairs for order, pairs in enumerate(prepared.pairs, 2)},
    }
    indices: list[tuple[object, Index]] = [*enumerate(prepared.ngrams, 1), ("positions", prepared.positions)]
    for name, found in indices:
        arrays |= {f"{field.name}_{name}": getattr(found, field.name) for field in fields(Index)}
    return arrays


def from_arrays(arrays: Mapping[str, NDArray[Any]]) -> PreparedReferences:
    def index_called(name: str | int) -> Index:
        return Index(*(arrays[f"{field.name}_{name}"] for field in fields(Index)))

    orders = sum(name.startswith("pairs") for name in arrays) + 1
    return PreparedReferences(
        arrays["image_of"],
        Numbering(arrays["vocabulary"].tobytes().decode("utf-8", "surrogatepass").split("\n")),
        Sequences(arrays["token_numbers"], arrays["token_lengths"]),
        arrays["lengths"],
        tuple(arrays[f"pairs{order}"] for order in range(2, orders + 1)),
        tuple(index_called(order) for order in range(1, orders + 1)),
        index_called("positions"),
    )


def positions(image_of: Numbers, tokens: Sequences) -> Index:
    """Which reference holds which token where, for the references of 1 to 64 tokens."""
    fits = np.repeat(tokens.lengths <= BITS, tokens.lengths)
    text_of, numbers = tokens.text_of[fits], tokens.numbers[fits]
    bits = np.left_shift(np.uint64(1), tokens.places[fits].astype(np.uint64))
    keys = joined(text_of, numbers)
    order = np.argsort(keys)
    starts = group_starts(keys[order])
    masks = np.bitwise_or.reduceat(bits[order], starts) if len(starts) else bits[:0]
    return index(image_of, text_of[order][starts], numbers[order][starts], masks.view(np.int64))


@lru_cache(maxsize=2)
def compared(captions: tuple[str, ...], references: PreparedReferences) -> Compared:
    """Tokenize and count one caption an image. BLEU, ROUGE-L and CIDEr of a system share what this finds."""
    vocabulary = references.vocabulary.copied()
    texts = read(captions, vocabulary)
    bags, new_pairs = count(texts.words, references.pairs)
    shared = tuple(map(_shared, bags, references.ngrams))
    return Compared(texts, vocabulary, tuple(bags), tuple(new_pairs), shared)


def _shared(bag: Bag, references: Index) -> Shared:
    place, found = places(joined(bag.texts, bag.grams), references.keys)
    held, keys = np.flatnonzero(found), place[found]
    return Shared(held, keys, references.rows(keys), np.repeat(held, references.sizes[keys]))
