"""How captions are written, beside what they say: length, preambles, markup, several sentences, scripts.

Metrics that compare with short references punish a chatty style as if it were a wrong caption: "Here is a
caption for the image:" before each caption takes BLIP-2's CIDEr on COCO from 146 to 57. The audit shows it; a
normalization takes it away, and its scores stand beside the raw ones.

>>> strip_preamble("Here is a caption for the image: A dog on a sofa.")
'A dog on a sofa.'
>>> first_sentence("The image shows a dog. It sleeps.")
'The image shows a dog.'
>>> style = audit(["The image shows a dog.", "**A cat**"], [("a dog", "one dog"), ("a cat",)])
>>> style.words_mean, style.reference_words_mean, style.preamble, style.markdown
(3.5, 2.0, 0.5, 0.5)
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from statistics import fmean, median

from evaluator.core import Style
from evaluator.core.sentences import sentences

_PICTURE = r"(?:image|picture|photo|photograph|scene|illustration|drawing|painting|snapshot)"
_SHOWS = (
    r"(?:shows|depicts|features|displays|captures|presents|portrays|illustrates|contains|represents|showcases"
    r"|is\ (?:showing|depicting|of)|appears\ to\ (?:show|be|depict))"
)
_PREAMBLE = re.compile(
    rf"""
    (?: (?:sure|certainly|of\ course|absolutely|okay|ok)\b [,.!:]* \s* )?
    (?:
        (?: here(?:\ is|'s|’s|\ are) | below\ is ) \b [^:.\n]{{0,80}} :
      | (?: (?:a|one|possible|suggested|short|brief|image|the)\ )*
        (?: caption|description|answer|response ) \s* :
      | (?: in | on ) \ (?:this|the) \ {_PICTURE} \s* ,? \s*
        (?: (?:we|you|one) \ can \ see | there \ (?:is|are) )?
      | (?: this | the ) \ {_PICTURE} \ {_SHOWS} \b (?: \ that \b )?
      | (?: this | it ) \ is \ (?:an?|the) \ (?: [\w-]+ \ ){{0,4}}? {_PICTURE} \ (?:of|showing|depicting) \b
      | (?: we | you ) \ can \ see \b
    )
    \s*
    """,
    re.IGNORECASE | re.VERBOSE,
)
_AGREEMENT = re.compile(r"(?:sure|certainly|of course|absolutely)[,.!:]+\s*", re.IGNORECASE)
_MARKDOWN = re.compile(
    r"\*\*[^*\n]+\*\*|__[^_\n]+__|`[^`\n]+`|\[[^\[\]\n]+\]\([^()\n]+\)"
    r"|^\s{0,3}(?:\#{1,6}|[-*+]|>|\d{1,2}[.)])\s+\S",
    re.MULTILINE,
)
_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")


def audit(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Style:
    """The style of some captions, one at least, and the length of the references beside it."""
    lengths = [words(caption) for caption in captions]
    theirs = [words(text) for of_image in references for text in of_image]
    return Style(
        words_mean=fmean(lengths),
        words_median=median(lengths),
        reference_words_mean=fmean(theirs) if theirs else None,
        reference_words_median=median(theirs) if theirs else None,
        preamble=fmean(has_preamble(caption) for caption in captions),
        markdown=fmean(_MARKDOWN.search(caption) is not None for caption in captions),
        several_sentences=fmean(len(sentences(caption)) > 1 for caption in captions),
        other_script=fmean(has_other_script(caption) for caption in captions),
    )


@lru_cache(maxsize=1 << 16)
def words(text: str) -> int:
    """How many words, numbers included; `don't` and `black-and-white` are one each.

    >>> words("a black-and-white cat"), words("एक कुत्ता")
    (3, 2)
    """
    plain = text.rstrip(" .").replace(",", " ")
    if plain.isascii() and plain.replace(" ", "").isalnum():  # most captions, in half the time
        return len(plain.split())
    if not text.isascii():  # a vowel sign is no letter to `re`, and would cut a word in two
        text = "".join(each for each in text if not unicodedata.category(each).startswith("M"))
    return len(_WORD.findall(text))


def has_preamble(text: str) -> bool:
    return strip_preamble(text) != text.strip()


def has_other_script(text: str) -> bool:
    """Whether a letter belongs to a script that is not Latin."""
    return any(
        letter.isalpha()
        and not unicodedata.name(letter, "").startswith(("LATIN", "MODIFIER", "FEMININE", "MASC"))
        for letter in text
        if letter > "\x7f"
    )


def strip_preamble(text: str) -> str:
    """The caption behind "The image shows" and the like; the text itself where nothing would be left."""
    stripped, start = text.strip(), 0
    while (found := _PREAMBLE.match(stripped, start) or _AGREEMENT.match(stripped, start)) and found[0]:
        start = found.end()
    return stripped[start:] if _WORD.search(stripped, start) else stripped


def first_sentence(text: str) -> str:
    """The first sentence that is more than a preamble such as "Sure!" or "Here is a caption:"."""
    found = sentences(text)
    more = (each for each in found if not _PREAMBLE.fullmatch(each) and not _AGREEMENT.fullmatch(each))
    return next(more, text)
