"""What one request asks: a text, and a picture or none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import exp
from typing import Any

from evaluator.core import TokenChoice
from evaluator.models.encoded_pictures import EncodedPicture

# How many of the likeliest tokens a server is asked for: the most that OpenAI, vLLM and Gemini give.
MOST_ALTERNATIVES = 20


@dataclass(frozen=True)
class Asked:
    """One request. The same question is asked again with another `draw`."""

    text: str
    picture: EncodedPicture | None
    draw: int = 0
    wants_probabilities: bool = False

    @property
    def key(self) -> Mapping[str, Any]:
        """What decides the answer besides the text and the options of the model."""
        draw = {"draw": self.draw} if self.draw else {}
        wanted = {"token_probabilities": True} if self.wants_probabilities else {}
        return {"picture": self.picture.digest if self.picture else None, **draw, **wanted}


def token_choices(
    content: str, tokens: Iterable[tuple[str, Iterable[tuple[str, float]]]]
) -> tuple[TokenChoice, ...]:
    """The tokens with digits, from all tokens of an answer with their alternatives and log probabilities.

    None where the tokens do not make up the answer: then nobody knows where each of them stands.

    >>> token_choices("8 of", [("8", [("8", -0.1), ("7", -2.3)]), (" of", [])])[0].token
    '8'
    """
    pairs = list(tokens)
    written = "".join(token for token, _ in pairs)
    lead = len(written) - len(written.lstrip())  # answers lose the white space around them
    if written.strip() != content:
        return ()
    found, start = [], -lead
    for token, alternatives in pairs:
        if any(character.isdigit() for character in token) and start >= 0:
            probabilities = {other: exp(min(0.0, log)) for other, log in alternatives}
            found.append(TokenChoice(start, token, probabilities))
        start += len(token)
    return tuple(found)
