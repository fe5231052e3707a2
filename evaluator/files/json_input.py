"""Reading JSON that somebody else wrote: each mistake becomes a DataError that says where it is.

>>> image_id(42) == image_id("42")
True
>>> checked([{"caption": "a dog"}, {"caption": None}], list[dict[str, str]], "a.json")
Traceback (most recent call last):
evaluator.core.errors.DataError: a.json: [1].caption: expected text, found null
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from evaluator.core.errors import DataError
from evaluator.files.json_bytes import ENTRIES_AT_ONCE, decode_json
from evaluator.files.regular_file import read_regular_file

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Shape = TypeVar("Shape")

# How a file may write the id of an image.
WrittenId = int | str


def read_json(path: Path) -> Any:
    """The document in a file of UTF-8, with or without a byte order mark."""
    return parse_json(read_text(path), path)


def read_text(path: Path) -> str:
    """The content of a file of UTF-8, without its byte order mark."""
    try:
        return read_regular_file(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8: this is not a JSON file") from error


def parse_json(content: str, path: Path, line: int = 1) -> Any:
    """The document in `content`, which begins at this line of the file."""
    try:
        return decode_json(content)
    except json.JSONDecodeError as error:
        where = f"{path}: line {line + error.lineno - 1}, column {error.colno}"
        raise DataError(f"{where}: {error.msg}") from error
    except ValueError as error:  # a number or a nesting beyond what Python reads
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error


def checked(
    document: Any, shape: type[Shape], path: Path | str, *location: str | int, entries_before: int = 0
) -> Shape:
    """The document with the keys that `shape` names, which TypedDicts describe; other keys are left out.

    Raises DataError for the first value of another type; `location` says where in the file the document is,
    and `entries_before` how many entries of its list come before.
    """
    from pydantic import ValidationError

    try:  # mypy does not know that each type can be hashed
        return _adapter(shape).validate_python(document, strict=True)  # type: ignore[arg-type, no-any-return]
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        found = [step + entries_before if isinstance(step, int) else step for step in first["loc"][:1]]
        location = (*location, *found, *first["loc"][1:])
        raise DataError(_complaint(first["type"], first["msg"], first["input"], path, location)) from None


def checked_entries(
    document: Any, shape: type[Shape], path: Path | str, *location: str | int
) -> Iterator[Shape]:
    """The same of each entry of a list, some at a time: a long list is not in memory twice."""
    if not isinstance(document, list):
        checked(document, list, path, *location)
    for start in range(0, len(document), ENTRIES_AT_ONCE):
        some = document[start : start + ENTRIES_AT_ONCE]
        yield from checked(some, list[shape], path, *location, entries_before=start)  # type: ignore[valid-type]


@cache
def _adapter(shape: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(shape)


def _complaint(
    kind: str, message: str, value: object, path: Path | str, location: tuple[str | int, ...]
) -> str:
    """What is wrong with the value at this location, by the kind of pydantic's error."""
    above, last = located(path, *location[:-1]), location[-1] if location else ""
    match kind:
        case "missing":
            return f"{above}: {last!r} is missing: found {describe(value)}"
        case "list_type" if isinstance(last, str) and last:
            return f"{above}: expected a list under {last!r}, found {describe(value)}"
        case "int_type":  # the first complaint about an id; its location ends in the type
            return f"{above}: expected a whole number or text, found {describe(value)}"
    wanted = {"string_type": "text", "list_type": "a list", "dict_type": "an object"}
    complaint = f"expected {wanted[kind]}" if kind in wanted else message
    return f"{located(path, *location)}: {complaint}, found {describe(value)}"


def located(path: Path | str, *location: str | int) -> str:
    """A location in a file, such as `a.json: images[3].id` or `a.csv: line 7.caption`."""
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in location)
    return f"{path}: {steps.removeprefix('.')}" if steps else str(path)


def describe(value: object) -> str:
    """What a value is, in JSON's terms."""
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


def image_id(value: WrittenId, path: Path | str = "", *location: str | int) -> str:
    """The id of an image as text: 42 and "42" are the same image. Raises DataError for an unusable id."""
    name = str(value)
    if not name:
        raise DataError(f"{located(path, *location)}: the image id is empty")
    # Neither numpy's arrays nor Arrow's tables keep these.
    if name.endswith("\0") or not (name.isascii() or name == name.encode(errors="replace").decode()):
        raise DataError(
            f"{located(path, *location)}: an image id must neither end in NUL nor contain half a surrogate "
            f"pair, found {value!r}"
        )
    return name
