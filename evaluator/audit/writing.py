"""Captions in a writing that the tokenizer or the references do not share.

COCO's tokenizer takes words apart at spaces and knows the characters of Unicode 6. A caption in Chinese or
Thai without spaces is one word to it; in some scripts it cuts a word at each vowel sign.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from evaluator.audit.texts import HAN_AND_KANA, SOUTH_EAST_ASIAN, Texts
from evaluator.core import Finding
from evaluator.scorers.tokenizer.characters import LETTERS, MARKS

_HAN = re.compile(f"[{HAN_AND_KANA}]+")
_SOUTH_EAST_ASIAN = re.compile(f"[{SOUTH_EAST_ASIAN}]+")
# More letters than this in a row, on average, are no single words.
LONGEST_WORDS = ((_HAN, 2.9), (_SOUTH_EAST_ASIAN, 8.0))
CUT = 0.1  # of the letters


def unicode_forms(texts: Texts) -> Finding | None:
    """Captions whose accents are written in another Unicode form than those of the references."""
    form = form_of(texts.references)
    return texts.where("unicode_form", lambda text: in_form(text, form) != text) if form else None


def form_of(references: tuple[tuple[str, ...], ...]) -> str:
    """The Unicode form of the references' accents, NFC or NFD; empty where they have both, NFC for none."""
    accented = [text for of_image in references for text in of_image if not text.isascii()]
    is_composed = all(unicodedata.is_normalized("NFC", text) for text in accented)
    if is_composed:
        return "NFC"
    return "NFD" if all(unicodedata.is_normalized("NFD", text) for text in accented) else ""


def in_form(text: str, form: str) -> str:
    if text.isascii() or form not in ("NFC", "NFD"):
        return text
    return unicodedata.normalize("NFC" if form == "NFC" else "NFD", text)


def unknown_scripts(texts: Texts) -> Finding | None:
    """Captions whose words the tokenizer of BLEU, ROUGE-L, METEOR and CIDEr cannot tell apart."""
    return texts.where("unknown_script", has_words_that_the_tokenizer_misses)


def has_words_that_the_tokenizer_misses(text: str) -> bool:
    """
    >>> texts = ["一只猫坐在沙发上", "一只 猫 坐 在 沙发 上", "кошка на диване", "a cat"]
    >>> [has_words_that_the_tokenizer_misses(text) for text in texts]
    [True, False, False, False]
    """
    if text.isascii():
        return False
    for letters, most in LONGEST_WORDS:
        runs = letters.findall(text)
        if runs and sum(map(len, runs)) / len(runs) > most:
            return True
    beyond = [letter for letter in text if letter > "\x7f" and unicodedata.category(letter)[0] in "LM"]
    missed = sum(not _word_letters().match(letter) for letter in beyond)
    return missed > CUT * len(beyond)


@cache
def _word_letters() -> re.Pattern[str]:
    return re.compile(f"[{LETTERS}{MARKS}]")
