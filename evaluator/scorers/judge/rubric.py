"""A rubric: what a judge is asked about a caption, and what its answer means.

>>> rubric = Rubric({"score": "CLAIR"}, 0, 100, question="Compare {caption} with {references}.")
>>> rubric.needs_references, rubric.share(85)
(True, 0.85)
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, cast

from evaluator.core.errors import ConfigError

CAPTION, REFERENCES = "{caption}", "{references}"


class AnyRubric:
    """What rubrics of one caption and of two have in common. Each is a dataclass."""

    picture: bool
    system: str
    question: str

    @property
    def needs_references(self) -> bool:
        return REFERENCES in self.question

    @cached_property
    def digest(self) -> str:
        """Eight hexadecimal digits that stand for the whole rubric."""
        document = json.dumps(asdict(cast(Any, self)), sort_keys=True)
        return hashlib.sha256(document.encode()).hexdigest()[:8]


@dataclass(frozen=True)
class Rubric(AnyRubric):
    """`metrics` maps each field of the judge's JSON answer to the name of the metric that it gives.

    The scores lie between `least` and `most`. In `question`, {caption} and {references} stand for the texts.
    """

    metrics: Mapping[str, str]
    least: float = 0
    most: float = 100
    picture: bool = False
    probabilities: bool = False
    system: str = ""
    question: str = ""

    def __post_init__(self) -> None:
        if not self.metrics:
            raise ConfigError("metrics: name at least one field of the answer and its metric: {score: MINE}")
        if CAPTION not in self.question:
            raise ConfigError(f"question: it does not hold {CAPTION}, where the caption goes")
        if not self.least < self.most:
            raise ConfigError(f"most: {self.most:g} is not larger than least, {self.least:g}")
        refuse_blind(self.picture, self.question)

    def share(self, score: float) -> float:
        """A score between 0 and 1."""
        return (score - self.least) / (self.most - self.least)


def refuse_blind(picture: bool, question: str) -> None:
    """Raises ConfigError for a rubric whose judge has nothing to judge by."""
    if not picture and REFERENCES not in question:
        raise ConfigError(
            f"question: the judge sees neither the picture nor the references. Write {REFERENCES} into it, "
            "or set picture: true"
        )
