"""Score smoothing: the expected score under the probabilities of the digits that a judge could have written.

FLEUR (Lee, Park and Kang 2024, https://aclanthology.org/2024.acl-long.205) weights each digit of a score by
the probability that the model gave it. So a judge that hesitates between 0.7 and 0.8 gives 0.75, and two
captions are seldom tied.

    >>> choices = [TokenChoice(0, "0", {"0": 1.0}), TokenChoice(2, "8", {"8": 0.5, "7": 0.5})]
    >>> expected_number("0.8", (0, 3), choices)
    0.75
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from evaluator.core import TokenChoice

_DIGIT = re.compile(r"\d")


def expected_number(text: str, place: tuple[int, int], choices: Sequence[TokenChoice]) -> float | None:
    """The expected value of the number at `place`; None where a digit has no probabilities.

    Each token is taken by itself, after those that were written before it. Of what could have stood in its
    place only what has the same form counts, so that each digit keeps its place value.
    """
    start, end = place
    if text[start : start + 1] in "+-":
        return None
    point = text.find(".", start, end)
    ones = (point if point >= 0 else end) - 1  # where the digit of the ones stands
    expected, seen = 0.0, set[int]()
    for choice in choices:
        token_end = choice.start + len(choice.token)
        inside = [at for at in range(max(start, choice.start), min(end, token_end)) if text[at].isdigit()]
        if not inside:
            continue
        if text[choice.start : token_end] != choice.token:
            return None
        form = re.compile(_DIGIT.sub(r"\\d", re.escape(choice.token)))
        alike = {token: p for token, p in choice.probabilities.items() if form.fullmatch(token)}
        total = sum(alike.values())
        if total <= 0:
            return None
        for at in inside:
            place_value = 10.0 ** (ones - at if at <= ones else ones + 1 - at)
            digits = sum(p * int(token[at - choice.start]) for token, p in alike.items())
            expected += place_value * digits / total
        seen |= set(inside)
    if seen != {at for at in range(start, end) if text[at].isdigit()}:
        return None
    return expected
