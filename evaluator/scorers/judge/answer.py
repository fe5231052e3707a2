r"""What a judge's answer says: a JSON object with the scores and a reason, perhaps with prose around it.

    >>> read_answer('Sure!\n```json\n{"score": 85, "reason": "fits"}\n```', ("score",), 0, 100)
    Verdict(scores={'score': 85.0}, reason='fits', places={'score': (24, 26)})

An answer is read or it is not: nothing is guessed. Several objects with different scores, as of a judge that
quotes a caption with JSON in it, are no answer, and neither is a score out of bounds.

    >>> read_answer('{"score": 250}', ("score",), 0, 100)
    Traceback (most recent call last):
    evaluator.scorers.judge.answer.Unreadable: score is 250, which is not between 0 and 100
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

LONGEST = 100_000  # characters of an answer that are read
MOST_OBJECTS = 100  # that are looked at
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


class Unreadable(ValueError):
    """The answer gives no score; the message says why."""


@dataclass(frozen=True)
class Verdict:
    """The scores in the rubric's own range, the reason, and where in the answer each number stands."""

    scores: Mapping[str, float]
    reason: str
    places: Mapping[str, tuple[int, int]]


def read_answer(text: str, fields: Sequence[str], least: float, most: float) -> Verdict:
    """The verdict in a text. Raises Unreadable."""
    if len(text) > LONGEST:
        raise Unreadable(f"the answer has more than the {LONGEST:,} characters that are read")
    if len(fields) == 1 and _NUMBER.fullmatch(bare := text.strip()):
        start = text.index(bare)
        place = {fields[0]: (start, start + len(bare))}
        return Verdict({fields[0]: within(fields[0], bare, least, most)}, "", place)
    found = [each for each in objects(text) if set(fields) <= each[0].keys()]
    if not found:
        raise Unreadable(f"the answer holds no JSON object with {' and '.join(fields)}")
    verdicts = [
        {field: within(field, document[field], least, most) for field in fields} for document, _, _ in found
    ]
    if any(other != verdicts[0] for other in verdicts):
        raise Unreadable("the answer holds several JSON objects with different scores")
    document, start, end = found[-1]
    reason = document.get("reason")
    return Verdict(verdicts[-1], reason if isinstance(reason, str) else "", places(text, fields, start, end))


def objects(text: str) -> Iterator[tuple[dict[str, Any], int, int]]:
    """The outermost JSON objects in a text with their places, names in lower case. Raises Unreadable."""
    decoder, start = json.JSONDecoder(object_pairs_hook=without_doubles), 0
    for _ in range(MOST_OBJECTS):
        start = text.find("{", start)
        if start < 0:
            return
        try:
            document, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            if isinstance(error, Unreadable):
                raise
            start += 1
            continue
        yield document, start, end
        start = end
    raise Unreadable(f"the answer holds more than {MOST_OBJECTS} opening brackets")


def without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object with its names in lower case. Raises Unreadable where it holds a name twice."""
    document = {name.lower(): value for name, value in pairs}
    if len(document) < len(pairs):
        raise Unreadable("the answer holds a JSON object with the same name twice")
    return document


def within(field: str, value: object, least: float, most: float) -> float:
    """A number, also one in quotes. Raises Unreadable for anything else, and for one out of bounds."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unreadable(f"{field} is {str(value)[:40]!r}, which is no number")
    if not least <= value <= most:
        raise Unreadable(f"{field} is {value:.6g}, which is not between {least:g} and {most:g}")
    return float(value)


def places(text: str, fields: Sequence[str], start: int, end: int) -> dict[str, tuple[int, int]]:
    """Where each number stands within the object; a field that is not found once has no place."""
    found = {}
    for field in fields:
        pattern = re.compile(rf'"{re.escape(field)}"\s*:\s*"?({_NUMBER.pattern})', re.IGNORECASE)
        matches = list(pattern.finditer(text, start, end))
        if len(matches) == 1:
            found[field] = matches[0].span(1)
    return found
