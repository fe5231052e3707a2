r"""Texts as tuples of ids: equal tokens have equal ids.

ROUGE-L compares tokens; BLEU and CIDEr compare words. They differ only where a token holds a hard space, as
`1 1/2` does: coco-caption joins the tokens, and BLEU and CIDEr split them again at any white space.

    >>> vocabulary = Vocabulary()
    >>> texts = encode(["A cat.", "", "1 1/2 cats"], vocabulary)
    >>> texts.tokens, texts.words
    ([(0, 1), (), (2, 3)], [(0, 1), (), (4, 5, 3)])
    >>> list(vocabulary)
    ['a', 'cat', '1\xa01/2', 'cats', '1', '1/2']
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from evaluator.scorers.tokenizer.ptb import pieces, tokenize_piece

# One tuple per text. Tuples of integers cost the garbage collector nothing, lists do.
TokenIds = list[tuple[int, ...]]


class Vocabulary(dict[str, int]):
    """The id of each token or word. A new one gets the next id when it is first looked up."""

    def __missing__(self, text: str) -> int:
        self[text] = new_id = len(self)
        return new_id


@dataclass(frozen=True)
class EncodedTexts:
    """The ids of each text's tokens and words: the same ones where no token holds white space."""

    tokens: TokenIds
    words: TokenIds


def encode(texts: Sequence[str], vocabulary: Vocabulary) -> EncodedTexts:
    """Tokenize the texts, and add new tokens and words to the vocabulary."""
    ids_of_piece = _PieceIds(vocabulary)
    tokens = [tuple(chain.from_iterable(map(ids_of_piece.__getitem__, pieces(text)))) for text in texts]
    to_split = {vocabulary[token]: token.split() for token in vocabulary if token.split() != [token]}
    if not to_split:
        return EncodedTexts(tokens, tokens)
    words = {token: [vocabulary[word] for word in parts] for token, parts in to_split.items()}
    return EncodedTexts(
        tokens, [tuple(chain.from_iterable(words.get(token, (token,)) for token in text)) for text in tokens]
    )


class _PieceIds(dict[str, tuple[int, ...]]):
    """The ids of a piece's tokens. Each distinct piece is tokenized once."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        super().__init__()
        self.vocabulary = vocabulary

    def __missing__(self, piece: str) -> tuple[int, ...]:
        self[piece] = ids = tuple([self.vocabulary[token] for token in tokenize_piece(piece)])
        return ids
