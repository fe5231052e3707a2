r"""Texts as arrays of numbers: one number a token, the same for the same token.

ROUGE-L compares tokens; BLEU and CIDEr compare words. They differ where a token holds a hard space, as
`1 1/2` does: coco-caption joins the tokens, and BLEU and CIDEr split them again at any white space.

    >>> vocabulary = Numbering([NO_TOKEN])
    >>> texts = read(["A cat.", "", "1 1/2 cats"], vocabulary)
    >>> texts.tokens.numbers.tolist(), texts.tokens.lengths.tolist(), texts.words.lengths.tolist()
    ([1, 2, 3, 4], [2, 0, 2], [2, 0, 3])
    >>> list(vocabulary)
    ['', 'a', 'cat', '1\xa01/2', 'cats', '1', '1/2']
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from evaluator.scorers.sorted_keys import Numbers, spans
from evaluator.scorers.tokenizer.ptb import pieces, tokenize_piece

# The first of a vocabulary: what coco-caption's ROUGE-L takes a caption without tokens for.
NO_TOKEN = ""


class Numbering(dict[str, int]):
    """A number for each text, from 0 on, in the order in which they are first asked for."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        super().__init__((text, number) for number, text in enumerate(texts))

    def __missing__(self, text: str) -> int:
        self[text] = number = len(self)
        return number

    def copied(self) -> Numbering:
        """The same numbers, to which more can be added."""
        copy = Numbering()
        copy.update(self)
        return copy


@dataclass(frozen=True, eq=False)
class Sequences:
    """The numbers of all texts' tokens, one text after the other, and how many each text has."""

    numbers: Numbers
    lengths: Numbers

    @property
    def text_of(self) -> Numbers:
        """The text in which each number stands."""
        return np.repeat(np.arange(len(self.lengths)), self.lengths)

    @property
    def places(self) -> Numbers:
        """Where in its text each number stands, from 0 on."""
        return spans(np.zeros_like(self.lengths), self.lengths)


@dataclass(frozen=True, eq=False)
class Texts:
    """Some texts as tokens and as words; these are the same object where no token holds white space."""

    tokens: Sequences
    words: Sequences


def read(texts: Sequence[str], vocabulary: Numbering) -> Texts:
    """Tokenize the texts. What is new to the vocabulary is added to it."""
    counts: list[int] = []

    def counted() -> Iterator[list[str]]:
        for text in texts:
            found = pieces(text)
            counts.append(len(found))
            yield found

    distinct = Numbering()
    numbers = np.fromiter(map(distinct.__getitem__, chain.from_iterable(counted())), np.int64)
    tokens = [tokenize_piece(piece) for piece in distinct]
    by_token = _put_together(numbers, counts, [[vocabulary[token] for token in some] for some in tokens])
    words = [" ".join(some).split() for some in tokens]
    if sum(map(len, words)) == sum(map(len, tokens)):
        return Texts(by_token, by_token)
    return Texts(
        by_token, _put_together(numbers, counts, [[vocabulary[word] for word in some] for some in words])
    )


def _put_together(pieces_of: Numbers, counts: Sequence[int], contents: Sequence[Sequence[int]]) -> Sequences:
    """From the pieces of each text and the numbers that each piece holds to the numbers of each text."""
    sizes = np.fromiter(map(len, contents), np.int64, len(contents))
    flat = np.fromiter(chain.from_iterable(contents), np.int64)
    numbers = flat[spans((np.cumsum(sizes) - sizes)[pieces_of], sizes[pieces_of])]
    # Every text has a piece, if an empty one.
    first_pieces = np.cumsum(counts, dtype=np.int64) - np.array(counts, np.int64)
    return Sequences(numbers, np.add.reduceat(sizes[pieces_of], first_pieces))
