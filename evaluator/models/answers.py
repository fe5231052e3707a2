"""The JSON of an answer, and its values checked one by one: what is not as it should be is never passed on.

>>> number(12), number(-1), number(True), number(float("nan")), number("12")
(12, None, None, None, None)
>>> text("a dog"), text(None)
('a dog', '')
>>> text({"error": "overloaded"})
Traceback (most recent call last):
evaluator.models.answers.WrongType: expected text, found dict
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from evaluator.core import Reply

# Numbers of tokens from here on are no numbers of tokens.
NUMBER_LIMIT = 10**9


class WrongType(ValueError):
    """A value of an answer has another type than the provider's format says."""


def parse(body: str) -> Any:
    """The document. Raises ValueError for what is no JSON, or nested too deeply."""
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def text(value: Any) -> str:
    """A text, empty for null. Raises WrongType."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongType(f"expected text, found {type(value).__name__}")
    return whole(value)


def joined(values: Iterable[Any]) -> str:
    """Texts as one, without the white space around it. Raises WrongType."""
    found = list(values)
    for value in found:
        text(value)
    # Joined first: a pair of surrogates may be split between two parts.
    return whole("".join(value or "" for value in found)).strip()


def whole(value: str) -> str:
    """The text as Unicode that every file can hold: lone surrogates are replaced."""
    if value.isascii():
        return value
    return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def mapping(value: Any) -> Mapping[str, Any]:
    """An object, empty for null. Raises WrongType."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise WrongType(f"expected an object, found {type(value).__name__}")
    return value


def sequence(value: Any) -> Sequence[Any]:
    """A list, empty for null. Raises WrongType."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise WrongType(f"expected a list, found {type(value).__name__}")
    return value


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """A list of objects, empty for null. Raises WrongType."""
    return [mapping(each) for each in sequence(value)]


def part(value: Any, name: str) -> Mapping[str, Any]:
    """The object under a name; empty where there is none, whatever stands there instead."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def number(value: Any) -> int | None:
    """A number of tokens, which is whole and neither negative nor absurd; None for anything else."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or not 0 <= value < NUMBER_LIMIT:
        return None
    return value


def billed(
    model_version: Any,
    input_tokens: int | None,
    output_tokens: int | None,
    reasoning_tokens: int | None,
    cached_input_tokens: int | None,
) -> Reply:
    """A reply without text: what an answer was billed for. A part that exceeds its whole is left out."""
    return Reply(
        text="",
        model_version=whole(model_version) if isinstance(model_version, str) else "",
        input_tokens=number(input_tokens),
        output_tokens=number(output_tokens),
        reasoning_tokens=_within(reasoning_tokens, output_tokens),
        cached_input_tokens=_within(cached_input_tokens, input_tokens),
    )


def _within(part_tokens: int | None, all_tokens: int | None) -> int | None:
    if part_tokens is None or all_tokens is None or part_tokens > all_tokens:
        return None
    return number(part_tokens)
