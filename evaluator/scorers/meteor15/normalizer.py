"""How METEOR 1.5 cuts a text into words with `-norm`, after whatever tokenized the text before.

It separates punctuation, takes hyphenated words apart and cuts contractions before the apostrophe. A full
stop stays with an abbreviation that its list names (after Philipp Koehn's `nonbreaking_prefix` lists of
Moses), and with a word that is followed by a small letter.

    >>> words("two well-dressed men do n't see mr. o'neil ...", {"mr": ANYWHERE})
    ['two', 'well', 'dressed', 'men', 'do', 'n', "'t", 'see', 'mr.', 'o', "'neil", '...']
    >>> words("the u.s. team in st. louis .", {})
    ['the', 'us', 'team', 'in', 'st.', 'louis', '.']
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from evaluator.scorers.meteor15.java_strings import UP_TO_A_SPACE, split_words

# How an abbreviation's full stop is known: wherever it stands, or only before a number.
ANYWHERE, BEFORE_NUMBERS = 1, 2

# Latin with its extensions, Cyrillic and the phonetic extensions; other scripts' letters stand alone.
_LETTERS = (
    "A-Za-z\u0160\u017d\u0161\u017e\u0178\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017e"
    "\u0400-\u04ff\u0500-\u0527\ua640-\ua66e\ua67e-\ua697\u1d00-\u1d7f"
)
_LETTER = re.compile(f"[{_LETTERS}]")
_UNUSUAL_SPACES = re.compile("[ \u2000-\u200a\u202f\u205f\u3000\u00a0]+")
_NOTHING_TO_DO = re.compile("[0-9a-z ]*")

_RULES = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (f"([^0-9{_LETTERS} \\t\\n\\v\\f\\r.'`,\\-‘’])", r" \1 "),
        (r"(\.{2,})", r" \1 "),
        (r"([^0-9]),([^0-9])", r"\1 , \2"),
        (r"([0-9]),([^0-9])", r"\1 , \2"),
        (r"([^0-9]),([0-9])", r"\1 , \2"),
        ("[`‘’]", "'"),
        ("[“”]|''", ' " '),
        ("–", "-"),
        ("--", "-"),
        (f"([0-9{_LETTERS}.])-([0-9{_LETTERS}])", r"\1 \2"),
        (f"([^{_LETTERS}])'([^{_LETTERS}])", r"\1 ' \2"),
        (f"([^{_LETTERS}0-9])'([{_LETTERS}])", r"\1 ' \2"),
        (f"([{_LETTERS}])'([^{_LETTERS}])", r"\1 ' \2"),
        (f"([{_LETTERS}])'([{_LETTERS}])", r"\1 '\2"),
        (r"([0-9])'(s)", r"\1 '\2"),
    )
)


def words(text: str, abbreviations: Mapping[str, int]) -> list[str]:
    """The lower-case words of a text; `abbreviations` are without their full stop."""
    if _NOTHING_TO_DO.fullmatch(text):
        return text.split()
    line = f" {text} "
    for pattern, replacement in _RULES:
        line = pattern.sub(replacement, line)
    tokens = split_words(line)
    following = [*tokens[1:], ""]
    line = " ".join(
        _final_stop(token, after, abbreviations) if token.endswith(".") else token
        for token, after in zip(tokens, following, strict=True)
    )
    return split_words(_UNUSUAL_SPACES.sub(" ", line).strip(UP_TO_A_SPACE).lower())


def _final_stop(token: str, following: str, abbreviations: Mapping[str, int]) -> str:
    """A token that ends in a full stop, with it, without it or apart from it."""
    word = token[:-1]
    if not word.strip("."):
        return token
    if "." in word and _LETTER.search(word):
        return token.replace(".", "")
    stop = abbreviations.get(word)
    if stop == ANYWHERE or "a" <= following[:1] <= "z":
        return token
    if stop == BEFORE_NUMBERS and "0" <= following[:1] <= "9":
        return token
    return f"{word} ."
