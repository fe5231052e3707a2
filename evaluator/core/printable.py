r"""Text of a model, a file or a server as a terminal may have it: it is shown and never obeyed.

>>> printable("a\x1b[2Jdog\r")
'a␛[2Jdog␍'
>>> printable("safe \u202etxt.exe \x9b31m \ud800")
'safe <U+202E>txt.exe <U+009B>31m <U+D800>'
"""

from __future__ import annotations

# Unicode's pictures of the control characters; tabs and line breaks are what they are.
CONTROL_PICTURES = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"} | {127: "␡"}

# Further controls (C1), line and paragraph separators, what changes the direction of the text after it, and
# letters that nobody sees: their numbers are shown. Joiners stay: Persian and emoji are written with them.
_NUMBERED = (
    *range(0x80, 0xA0),
    *(0x61C, 0x200B, 0x200E, 0x200F),  # marks of direction, a space without width
    *range(0x2028, 0x202F),
    *range(0x2060, 0x2070),
    *range(0xD800, 0xE000),  # halves of a surrogate pair
    *range(0xFFF9, 0xFFFC),
    *(0xFEFF, 0xFFFE, 0xFFFF),
    *range(0xE0000, 0xE0080),
)
_SHOWN = CONTROL_PICTURES | {code: f"<U+{code:04X}>" for code in _NUMBERED}


def printable(text: str) -> str:
    """The text with everything that a terminal would obey, or not show, replaced by what can be read."""
    return text if text.isascii() and text.isprintable() else text.translate(_SHOWN)
