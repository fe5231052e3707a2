r"""JSON in bytes, read and written by orjson; what orjson refuses, the standard library reads and writes.

That is half of a surrogate pair, a number beyond 64 bits, and NaN:

    >>> decode_json(encode_json({"caption": "a \ud800 dog"}))
    {'caption': 'a \ud800 dog'}
"""

from __future__ import annotations

import json
from typing import Any


def decode_json(content: bytes | str) -> Any:
    """The document. Raises ValueError, with the line and column of a syntax error."""
    import orjson

    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        try:
            return json.loads(content)
        except RecursionError as error:
            raise ValueError("it is nested too deeply") from error


def encode_json(document: Any, indent: bool = False) -> bytes:
    """The document in UTF-8, with two spaces of indentation where a person may read it."""
    import orjson

    try:
        return orjson.dumps(document, option=orjson.OPT_INDENT_2 if indent else None)
    except TypeError:
        text = json.dumps(document, ensure_ascii=False, indent=2 if indent else None)
        # In JSON the backslash form of a lone surrogate is its own escape, so that nothing is lost.
        return text.encode("utf-8", "backslashreplace")
