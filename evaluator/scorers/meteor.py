"""METEOR 1.5 (Denkowski and Lavie 2014, https://aclanthology.org/W14-3348), as coco-caption runs it.

That is, for English with its own normalisation (`-l en -norm`), with exact, stem, synonym and paraphrase
matches, on captions tokenized before. The corpus score is one score of summed statistics and not the mean of
the images' scores; `evaluator.core.meteor` turns statistics into scores.

Two engines give the same numbers: `python`, the package meteor15, and `java`, the program itself, which is
asked for all captions at once. Both read the files that pycocoevalcap installs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

from evaluator.core import NOT_IDENTITY, Item, Measurement
from evaluator.scorers.meteor15.engines import by_java, by_python
from evaluator.scorers.references import References
from evaluator.scorers.signature import signature
from evaluator.scorers.tokenizer.ptb import tokenize


@dataclass(frozen=True)
class METEOR:
    """Scores captions by the words and phrases that stand for those of their best reference."""

    kind: ClassVar[str] = "meteor"

    engine: Literal["python", "java"] = field(default="python", metadata=NOT_IDENTITY)
    processes: Annotated[int, Ge(1)] | None = field(default=None, metadata=NOT_IDENTITY)
    java: str = field(default="java", metadata=NOT_IDENTITY)
    memory: str = field(default="2G", metadata=NOT_IDENTITY)
    time_limit_seconds: Annotated[float, Gt(0)] = field(default=3600.0, metadata=NOT_IDENTITY)

    @property
    def names(self) -> tuple[str, ...]:
        return ("METEOR",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Raises NotComputed where no item has references, or what the engine needs is missing."""
        texts = References.of(items, captions, "METEOR")
        said = [spoken(caption) for caption in texts.captions]
        given = [[spoken(text) for text in of_image] for of_image in texts.references]
        if self.engine == "java":
            rows = by_java(said, given, self.java, self.memory, self.time_limit_seconds)
        else:
            rows = by_python(said, given, self.processes or os.cpu_count() or 1)
        signed = signature("METEOR", texts.items, version="1.5", norm="en", tok="ptb")
        return [Measurement("METEOR", texts.spread(rows), "meteor", signed)]


def spoken(text: str) -> str:
    return " ".join(tokenize(text))
