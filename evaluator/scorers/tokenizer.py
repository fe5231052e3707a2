"""Words of a caption, as COCO's caption evaluation counts them.

The same tokens as `PTBTokenizer -preserveLines -lowerCase` of Stanford CoreNLP 3.4.1 gives, less the
punctuation that github.com/tylin/coco-caption takes out, without Java. docs/metrics.md says on what this was
compared, and what differs.

    >>> tokenize('A man\\'s black-and-white cat, "Tom", isn\\'t on 1st St.')
    ('a', 'man', "'s", 'black-and-white', 'cat', 'tom', 'is', "n't", 'on', '1st', 'st.')

A line break of any kind is white space here. In coco-caption some of them cut a caption in two, and then each
later caption is scored against its neighbour's references.
"""

from __future__ import annotations

import re
from functools import lru_cache

from evaluator.scorers.token_rules import lex

# coco-caption's list. The brackets that it names come out of the program in lower case, and so stay.
PUNCTUATION = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])

_BREAKS = re.compile("[\n\r\v\f\u0085\u2028\u2029\0]")

# What a token or its surroundings may reach across a space for: tags, fractions and telephone numbers, dots with
# spaces between, abbreviations before a number, a letter before a new sentence or at the end.
_REACHES_OVER_A_SPACE = re.compile(
    r"<[A-Za-z/!?]|[\d)] \d|\. [.\d]|(?<![A-Za-z])[A-Za-z]\. +[A-Z<]|(?<![A-Za-z])[A-Za-z]\. *$"
)
_PLAIN_WORD = re.compile("[A-Za-z]+")
_TWO_TOKENS = frozenset(["cannot", "gonna", "gotta", "lemme", "gimme", "wanna"])

_DISTINCT_PIECES = 1 << 16  # more than any data set of captions has; some 10 MB


def tokenize(text: str) -> tuple[str, ...]:
    """The lower-case tokens of one caption; none for an empty one. Some tokens hold a hard space, as in `1 1/2`."""
    line = _BREAKS.sub(" ", text)
    if _REACHES_OVER_A_SPACE.search(line):
        return _tokens(line, _what_follows(line))
    return tuple([token for piece in line.split(" ") for token in _piece(piece)])


@lru_cache(maxsize=_DISTINCT_PIECES)
def _piece(piece: str) -> tuple[str, ...]:
    """Tokens of what stands between two spaces, where nothing reaches over them."""
    if _PLAIN_WORD.fullmatch(piece) and piece.lower() not in _TWO_TOKENS:
        return (piece.lower(),)
    return _tokens(piece)


def _tokens(text: str, following: str = "\n") -> tuple[str, ...]:
    lower = [token.lower() for token in lex(text, following)]
    return tuple([token for token in lower if token not in PUNCTUATION])


def _what_follows(line: str) -> str:
    """What the rules see after a caption: another of its kind.

    The Java program reads the next caption's first word to tell whether `the letter K.` ends in a full stop.
    A caption must not depend on its neighbour, so one that is written as a sentence is taken to stand among
    sentences.
    """
    return "\nA " if line.lstrip()[:1].isupper() else "\n"
