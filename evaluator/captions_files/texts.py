"""A caption or references as people's files hold them: a text, a list of texts, objects around a text.

>>> one_text(["a dog"]), one_text([{"caption": "a dog", "id": 3}])
('a dog', 'a dog')
>>> several_texts("['a dog', 'a pet']"), several_texts([{"raw": "a dog"}])
(('a dog', 'a pet'), ('a dog',))
"""

from __future__ import annotations

import ast
from typing import Any

# The keys that hold the text of an object around it, as pycocoevalcap and Karpathy's files have them.
TEXT_KEYS = ("caption", "raw", "text")
# The longest text that is read as a list which Python printed.
LONGEST_LITERAL = 100_000


def one_text(value: Any) -> str | None:
    """The one text that a value is: itself, in a list of one, or in an object; None where it is no text."""
    if isinstance(value, str):
        return value
    if isinstance(value, list | tuple) and len(value) == 1:
        return one_text(value[0])
    if isinstance(value, dict):
        return next((value[key] for key in TEXT_KEYS if isinstance(value.get(key), str)), None)
    return None


def several_texts(value: Any) -> tuple[str, ...] | None:
    """All texts that a file's value holds; None where anything in it is no text."""
    return all_texts(literal_list(value))


def all_texts(value: Any) -> tuple[str, ...] | None:
    """All texts that a value in memory holds: one, or one of each entry; None where anything is no text."""
    entries = value if isinstance(value, list | tuple) else [value]
    texts = [one_text(entry) for entry in entries]
    return None if None in texts else tuple(text for text in texts if text is not None)


def literal_list(value: Any) -> Any:
    """The list that Python printed into a text, `['a dog', 'a pet']`; any other value as it is."""
    if not isinstance(value, str) or len(value) > LONGEST_LITERAL:
        return value
    bare = value.strip()
    if not (bare.startswith(("['", '["')) and bare.endswith("]")):
        return value
    try:
        parsed = ast.literal_eval(bare)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return value
    return parsed if all(isinstance(text, str) for text in parsed) else value


def first_text(value: Any) -> Any:
    """The first text of lists within lists: `[["a dog"]]`."""
    while isinstance(value, list | tuple) and value:
        value = value[0]
    return value
