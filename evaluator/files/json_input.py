"""Reading JSON that somebody else wrote: every mistake becomes a DataError that says where it lies.

>>> image_id(42, "a.json: [0]") == image_id("42", "a.json: [1]")
True
>>> text({"caption": None}, "caption", "a.json: [3]")
Traceback (most recent call last):
evaluator.core.errors.DataError: a.json: [3].caption: expected text, found null
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from evaluator.core.errors import DataError


def read_json(path: Path) -> Any:
    """The document in a file of UTF-8, with or without a byte order mark."""
    return parse_json(read_text(path), path)


def read_text(path: Path) -> str:
    """What a file of UTF-8 holds, without its byte order mark."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise DataError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise DataError(f"{path}: this is a folder, not a {kind_of(path)} file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: byte {error.start} is not UTF-8: this is not a {kind_of(path)} file"
        ) from error


def parse_json(content: str, path: Path, line: int = 1) -> Any:
    """The document in `content`, which begins at this line of the file."""
    try:
        return json.loads(content)
    except json.JSONDecodeError as error:
        where = f"{path}: line {line + error.lineno - 1}, column {error.colno}"
        raise DataError(f"{where}: {error.msg}") from error
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond what Python reads
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error


def kind_of(path: Path) -> str:
    return "CSV" if path.suffix.lower() == ".csv" else "JSON"


def describe(value: object) -> str:
    """What a value is, in the words of JSON."""
    match value:
        case None:
            return "null"
        case dict():
            keys = ", ".join(repr(key) for key in list(value)[:6])
            return f"an object with {keys}{', ...' if len(value) > 6 else ''}" if keys else "an empty object"
        case list():
            return f"a list of {len(value)}"
        case str():
            return repr(value if len(value) <= 40 else value[:40] + "...")
        case _:
            return json.dumps(value)


def member(entry: object, key: str, where: str) -> Any:
    """The value under `key` of an object."""
    if not isinstance(entry, dict):
        raise DataError(f"{where}: expected an object with {key!r}, found {describe(entry)}")
    if key not in entry:
        raise DataError(f"{where}: {key!r} is missing: found {describe(entry)}")
    return entry[key]


def text(entry: object, key: str, where: str) -> str:
    """The string under `key` of an object, exactly as it is."""
    value = member(entry, key, where)
    if not isinstance(value, str):
        raise DataError(f"{where}.{key}: expected text, found {describe(value)}")
    return value


def entries(document: object, key: str, where: str) -> list[Any]:
    """The list under `key` of an object."""
    value = member(document, key, where)
    if not isinstance(value, list):
        raise DataError(f"{where}: expected a list under {key!r}, found {describe(value)}")
    return value


def image_id(value: object, where: str) -> str:
    """The id of an image, as text: 42 and "42" are the same image."""
    if isinstance(value, bool) or not isinstance(value, int | str) or value == "":
        raise DataError(f"{where}: an image id is a whole number or text, found {describe(value)}")
    name = str(value)
    # Neither numpy's arrays nor Arrow's tables keep these.
    if name.endswith("\0") or name != name.encode(errors="replace").decode():
        raise DataError(
            f"{where}: an image id ends in no NUL and holds no half of a surrogate pair, found {value!r}"
        )
    return name
