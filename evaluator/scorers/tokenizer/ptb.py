r"""Words of a caption, as COCO's caption evaluation counts them.

The same tokens as `PTBTokenizer -preserveLines -lowerCase` of Stanford CoreNLP 3.4.1 gives, less the
punctuation that github.com/tylin/coco-caption takes out, without Java. docs/metrics.md says on what this was
compared, and what differs.

    >>> tokenize('A man\'s black-and-white cat, "Tom", isn\'t on 1st St.')
    ('a', 'man', "'s", 'black-and-white', 'cat', 'tom', 'is', "n't", 'on', '1st', 'st.')

A line break of any kind is white space here. In coco-caption some of them cut a caption in two, and then each
later caption is scored against its neighbour's references.
"""

from __future__ import annotations

import re
from functools import lru_cache

from evaluator.scorers.tokenizer.rules import ABBREVIATION, lex

# coco-caption's list. The brackets that it names come out of the program in lower case, and so stay.
PUNCTUATION = frozenset(["''", "'", "``", "`", ".", "?", "!", ",", ":", "-", "--", "...", ";"])

_BREAKS = re.compile("[\n\r\v\f\u0085\u2028\u2029\0]")

# Where the tokens depend on what is beyond the next space: tags and unusual spaces, fractions and telephone
# numbers, dots with spaces between and abbreviations before numbers, letters before a sentence or at the end.
_REACHES_OVER_A_SPACE = re.compile(
    r"<[A-Za-z/!?]|[\t\u00a0\u2000-\u200a\u3000]"
    r"|[\d)] \d"
    r"|\. [.\d]"
    r"|(?:(?<![A-Za-z])|['\u0092\u2019;+&]\w*)[A-Za-z]\.(?: +[A-Z<]| *$)"
)
# Most captions: without a line break, and without anything that the pattern above could find.
_PLAIN_CAPTION = re.compile(r"[A-Za-z ,-]*(?:[A-Za-z]{2}\. *)?")
_ABOVE_THE_BASIC_PLANE = re.compile("[\U00010000-\U0010ffff]")
_PLAIN_WORD = re.compile("([A-Za-z]+)([,.]?)")
_TWO_TOKENS = frozenset(["cannot", "gonna", "gotta", "lemme", "gimme", "wanna"])

_DISTINCT_PIECES = 1 << 16  # COCO's 25,010 captions of the Karpathy test split have 11,457


def tokenize(text: str) -> tuple[str, ...]:
    """The lower-case tokens of a caption, none for an empty one. `1 1/2` is one token, with a hard space."""
    return tuple([token for piece in pieces(text) for token in tokenize_piece(piece)])


def tokenized_text(text: str) -> str:
    """The tokens with a space between them: what coco-caption hands to other programs."""
    return " ".join(tokenize(text))


def pieces(text: str) -> list[str]:
    """The parts of a caption that can be tokenized independently: split at spaces, or the whole caption."""
    if _PLAIN_CAPTION.fullmatch(text):
        return text.split(" ")
    line = _BREAKS.sub(" ", text)
    return [line] if _REACHES_OVER_A_SPACE.search(line) else line.split(" ")


@lru_cache(maxsize=_DISTINCT_PIECES)
def tokenize_piece(piece: str) -> tuple[str, ...]:
    """The tokens of one of a caption's pieces."""
    if (match := _PLAIN_WORD.fullmatch(piece)) and (word := match[1].lower()) not in _TWO_TOKENS:
        return (piece.lower() if match[2] == "." and ABBREVIATION.fullmatch(piece) else word,)
    return _tokens(piece, _what_follows(piece) if _REACHES_OVER_A_SPACE.search(piece) else "\n")


def _tokens(text: str, following: str) -> tuple[str, ...]:
    lower = [_whole(token).lower() for token in lex(_in_halves(text), following)]
    if lower:
        lower[-1] = lower[-1].rstrip()  # as coco-caption does; some web addresses end in a wide space
    return tuple([token for token in lower if token not in PUNCTUATION])


def _in_halves(text: str) -> str:
    """Each character above the basic plane as two, as Java counts: an emoji is path enough for an address."""
    return _ABOVE_THE_BASIC_PLANE.sub(_surrogates, text)


def _surrogates(character: re.Match[str]) -> str:
    high, low = divmod(ord(character[0]) - 0x10000, 0x400)
    return chr(0xD800 + high) + chr(0xDC00 + low)


def _whole(token: str) -> str:
    return token if token.isascii() else token.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _what_follows(line: str) -> str:
    """What the rules see after a caption: the first word of another one of its kind, which is its own.

    The Java program reads the next caption's first word to tell whether `the letter K.` ends in a full stop,
    but a caption's tokens must not depend on its neighbour.
    """
    first_word = line.lstrip(" ").split(" ")[0]
    return f"\n{first_word} " if first_word[:1].isalpha() else "\n"
