r"""What METEOR 1.5 leaves to Java's strings, and Python's do differently.

Equal words are, to the program, words of one `String.hashCode`, and so a few different words are equal:

    >>> java_hash("Siblings") == java_hash("Teheran")
    True
    >>> split_words("a\tcat\xa0and dog ")
    ['a', 'cat\xa0and', 'dog']
"""

from __future__ import annotations

import re

# What `String.trim` takes from both ends.
UP_TO_A_SPACE = "".join(map(chr, range(0x21)))

_WORD = re.compile("[^ \t\n\r\f]+")
_LINE_BREAK = re.compile("[\n\r]+")


def java_hash(word: str) -> int:
    """`String.hashCode` of the word, from 0 to 2 ** 32 - 1."""
    units = word.encode("utf-16-le", "surrogatepass")
    code = 0
    for low, high in zip(units[::2], units[1::2], strict=True):
        code = (31 * code + low + (high << 8)) & 0xFFFFFFFF
    return code


def split_words(line: str) -> list[str]:
    """The words of a line as `StringTokenizer` finds them: white space is ASCII's, less the vertical tab."""
    return _WORD.findall(line)


def one_line(text: str) -> str:
    """The text without what would end a line or a field of the program's input, in characters it can read."""
    readable = text.encode("utf-8", "replace").decode()  # half of a surrogate pair is a question mark
    return _LINE_BREAK.sub(" ", readable.replace("|||", "")).strip(UP_TO_A_SPACE)
