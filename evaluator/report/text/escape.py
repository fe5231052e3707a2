r"""One escaper per text format: no name, caption or message can leave its place or become markup.

HTML is escaped by the standard library, JSON by its writer.

>>> print(markdown_text("a|b [x](javascript:y) <img onerror=z> a_b `c`"))
a|b \[x](javascript:y) &lt;img onerror=z> a_b \`c\`
>>> csv_text("=HYPERLINK(1)"), csv_text("-1.5")
("'=HYPERLINK(1)", '-1.5')
"""

from __future__ import annotations

import re

from evaluator.core.printable import printable

# What CommonMark takes for emphasis, code, a link or an escape; within a word an underscore is a letter.
_MARKUP = re.compile(r"[\\`*\[~]|(?<![^\W_])_|_(?![^\W_])")
_ENTITY = re.compile(r"&(?=#?\w+;)")

_LATEX = {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "–": "--",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    **{character: f"{{{character}}}" for character in "[]*"},  # behind `\\` they would be its arguments
}


def markdown_text(text: str) -> str:
    """A text in Markdown, on one line."""
    escaped = _MARKUP.sub(r"\\\g<0>", _ENTITY.sub("&amp;", printable(text))).replace("<", "&lt;")
    return "<br>".join(escaped.splitlines())


def markdown_cell_text(text: str) -> str:
    r"""The same in a cell of a table, which a bar ends.

    >>> print(markdown_cell_text("a|b"))
    a\|b
    """
    return markdown_text(text).replace("|", "\\|")


def markdown_code(text: str) -> str:
    r"""A text as code in a cell of a table; a backtick would end it.

    >>> print(markdown_code("a_b|`c`"))
    `a_b\|'c'`
    """
    plain = " ".join(printable(text).splitlines()).replace("`", "'").replace("|", "\\|")
    return f"`{plain}`" if plain else ""


def latex_text(text: str) -> str:
    r"""A text in LaTeX, on one line.

    >>> print(latex_text("[a_b] & 50% – {x}"))
    {[}a\_b{]} \& 50\% -- \{x\}
    """
    return "".join(_LATEX.get(character, character) for character in printable(" ".join(text.splitlines())))


def csv_text(text: str) -> str:
    """A text in CSV that no spreadsheet takes for a formula: an apostrophe comes before all but numbers.

    Some look behind spaces and line breaks.
    """
    if not text.lstrip().startswith(("=", "+", "-", "@")):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text


def xml_text(text: str) -> str:
    """A text that XML can hold: control characters are no part of it, not even escaped."""
    return printable(text)
