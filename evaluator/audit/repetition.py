"""Captions that repeat a phrase again and again: a decoder in a loop.

>>> loop("a man with a hat with a hat with a hat with a hat"), loop("a very very big dog")
('with a hat', '')
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from evaluator.audit.texts import Texts, words_of
from evaluator.core import Finding

SHARE = 0.01  # of the captions, at least: one in a thousand loops in most systems
LONGEST_PHRASE = 30  # words
# How often a phrase of one word, of two, of three and more must follow itself.
REPEATS = (5, 4, 3)
# The same letters ten times within a word.
_LONG_WORD = re.compile(r"[^\W\d_]{10}")
_STUTTER = re.compile(r"([^\W\d_]{1,8}?)\1{9,}")


def repetition(texts: Texts) -> Finding | None:
    found: list[int] = []
    phrases: Counter[str] = Counter()
    for index, text in enumerate(texts.without_markers):
        if phrase := loop_of_words(texts.words[index]) or stutter(text):
            found.append(index)
            phrases[phrase] += 1
    if len(found) < SHARE * len(texts):
        return None
    return texts.finding("repetition", found, phrases.most_common(1)[0][0] if phrases else "")


def loop(text: str) -> str:
    """The phrase that a text repeats in a row; empty for none."""
    return loop_of_words(words_of(text)) or stutter(text)


def loop_of_words(words: Sequence[str]) -> str:
    # Most captions: no phrase can be repeated that often, since too few words are.
    if len(words) - len(set(words)) < REPEATS[0] - 1:
        return ""
    often = [count for count in Counter(words).values() if count >= REPEATS[-1]]
    if max(often, default=0) < REPEATS[0] and sum(often) < REPEATS[1] * 2:
        return ""
    for length in range(1, min(LONGEST_PHRASE, len(words) // REPEATS[-1]) + 1):
        needed = (REPEATS[min(length, len(REPEATS)) - 1] - 1) * length
        run = 0
        for index in range(length, len(words)):
            run = run + 1 if words[index] == words[index - length] else 0
            if run == needed:
                return " ".join(words[index - length + 1 : index + 1])
    return ""


def stutter(text: str) -> str:
    """The letters that a word repeats; empty for none.

    >>> stutter("a dooooooooooooog")
    'o'
    """
    found = _STUTTER.search(text) if _LONG_WORD.search(text) else None
    return found[1] if found else ""
