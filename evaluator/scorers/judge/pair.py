r"""What a judge is asked about two captions of a picture, and what its answer says.

    >>> rubric = PairRubric(question="Compare.\n{caption_a}\n{caption_b}")
    >>> print(pair_text(rubric, "a dog", "a cat", ()))
    Compare.
    <caption-a-5a73690648a8>
    a dog
    </caption-a-5a73690648a8>
    <caption-b-5a73690648a8>
    a cat
    </caption-b-5a73690648a8>
    >>> read_preference('Well: {"better": "B", "reason": "it is a cat"}')
    ('b', 'it is a cat')

The captions stand between tags that nobody who writes one can know (`question.py`). An answer is read or it
is not: nothing is guessed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from evaluator.core.errors import ConfigError
from evaluator.scorers.judge.answer import LONGEST, Unreadable, objects
from evaluator.scorers.judge.question import filled, listed
from evaluator.scorers.judge.rubric import AnyRubric, refuse_blind

Preference = Literal["a", "b", "tie"]
PREFERENCES: tuple[Preference, ...] = ("a", "b", "tie")
CAPTION_A, CAPTION_B = "{caption_a}", "{caption_b}"
FIELD = "better"  # of the answer's JSON object


@dataclass(frozen=True)
class PairRubric(AnyRubric):
    """In `question`, {caption_a}, {caption_b} and {references} stand for the texts."""

    picture: bool = True
    system: str = ""
    question: str = ""

    def __post_init__(self) -> None:
        if missing := next((each for each in (CAPTION_A, CAPTION_B) if each not in self.question), None):
            raise ConfigError(f"question: it does not hold {missing}, where one of the captions goes")
        refuse_blind(self.picture, self.question)


def pair_text(rubric: PairRubric, caption_a: str, caption_b: str, references: Sequence[str]) -> str:
    """What the judge is asked about two captions, of which it reads `caption_a` first."""
    texts = {"caption_a": caption_a, "caption_b": caption_b, "references": listed(references)}
    return filled(rubric.question, texts, rubric.digest)


def read_preference(text: str) -> tuple[Preference, str]:
    """Which caption an answer prefers, and why. Raises Unreadable."""
    if len(text) > LONGEST:
        raise Unreadable(f"the answer has more than the {LONGEST:,} characters that are read")
    if (bare := text.strip().lower()) in PREFERENCES:
        return bare, ""
    found = [document for document, _, _ in objects(text) if FIELD in document]
    if not found:
        raise Unreadable(f"the answer holds no JSON object with {FIELD}")
    given = {str(document[FIELD]).strip().lower() for document in found}
    if len(given) > 1:
        raise Unreadable("the answer holds several JSON objects with different preferences")
    (preference,) = given
    if preference not in PREFERENCES:
        raise Unreadable(f"{FIELD} is {preference[:40]!r}, which is none of A, B and tie")
    reason = found[-1].get("reason")
    return preference, reason if isinstance(reason, str) else ""
