"""The sentences of a text.

>>> sentences("Mr. Lee walks 2.5 km. He has a dog!")
['Mr. Lee walks 2.5 km.', 'He has a dog!']
>>> sentences("一只狗在沙发上。它在睡觉。")
['一只狗在沙发上。', '它在睡觉。']
"""

from __future__ import annotations

import re

# A sentence ends before white space and a word, at a line break, and behind the full stops of Chinese and
# Japanese, which no space follows.
_END = re.compile(
    r"""(?<=[.!?…।؟])["'”’)\]]*\s+(?=["'“‘(\[]*[^\W_])"""
    r"""|(?<=[。！？])["'”’)\]」』]*\s*(?=["'“‘(\[「『]*[^\W_])"""
    r"""|[\r\n\x0b\x0c\x85\u2028\u2029]\s*"""
)
_CLOSING = re.compile(r"""["'”’)\]」』]*""")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'.])(?:mr|mrs|ms|dr|st|ave|ft|jr|sr|no|vs|approx|[a-z])\.$", re.IGNORECASE
)
_LONGEST_ABBREVIATION = len(" approx.")
_LETTER_OR_DIGIT = re.compile(r"[^\W_]")


def sentences(text: str) -> list[str]:
    """A line break ends a sentence too, and an abbreviation such as `Mr.` does not. Each has a word."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        last = text[max(start, end.start() - _LONGEST_ABBREVIATION) : end.start()]
        if _ABBREVIATION.search(last) and not re.search(r"[\r\n]", end[0]):
            continue
        closing = _CLOSING.match(end[0])
        found.append((text[start : end.start()] + (closing[0] if closing else "")).strip())
        start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if _LETTER_OR_DIGIT.search(sentence)]
