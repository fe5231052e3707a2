"""METEOR 1.5 (Denkowski and Lavie 2014, https://aclanthology.org/W14-3348), as coco-caption runs it.

Words of the caption are aligned with words of a reference: equal words, words with the same stem, synonyms,
and paraphrases. Precision and recall over the aligned words, with a penalty for many separate chunks, give
the score, and the best reference counts. The settings are those for English with METEOR's own normalisation
(`-l en -norm`), on captions that are tokenized already. The corpus score comes from the summed statistics and
is not the mean of the images' scores; `evaluator.core.aggregates.meteor` turns statistics into scores.

Two engines give the same numbers: `python` is the package meteor15, and `java` is the original program, which
gets all captions in one call. Both read the files that pycocoevalcap installs.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

from evaluator.core import RUNTIME_ONLY, Array, Item, Measurement
from evaluator.core.aggregates.meteor import COLUMNS
from evaluator.scorers.in_parts import score_in_parts
from evaluator.scorers.meteor15.engines import by_java, by_python
from evaluator.scorers.references import items_with_references, rows_by_references
from evaluator.scorers.signature import signature
from evaluator.scorers.tokenizer.ptb import tokenized_text


@dataclass(frozen=True)
class METEOR:
    """Scores captions by the words and phrases that match those of their best reference."""

    kind: ClassVar[str] = "meteor"

    engine: Literal["python", "java"] = field(default="python", metadata=RUNTIME_ONLY)
    processes: Annotated[int, Ge(1)] | None = field(default=None, metadata=RUNTIME_ONLY)
    java: str = field(default="java", metadata=RUNTIME_ONLY)
    memory: str = field(default="2G", metadata=RUNTIME_ONLY)
    time_limit_seconds: Annotated[float, Gt(0)] = field(default=3600.0, metadata=RUNTIME_ONLY)

    @property
    def names(self) -> tuple[str, ...]:
        return ("METEOR",)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Raises MetricError where no item has references, or what the engine needs is missing."""
        return score_in_parts(self, items, captions)

    def for_parts_of(self, items: Sequence[Item]) -> METEOR:
        return self

    def rows(self, items: Sequence[Item], captions: Sequence[str]) -> Array:
        return rows_by_references(items, captions, len(COLUMNS), self._statistics)

    def measurements(self, items: Sequence[Item], rows: Array) -> list[Measurement]:
        scored = items_with_references(items, "METEOR")
        described = signature("METEOR", scored, version="1.5", norm="en", tok="ptb")
        return [Measurement("METEOR", rows, "meteor", described)]

    def _statistics(self, captions: Sequence[str], references: Sequence[Sequence[str]]) -> Array:
        """Rows (N, 23)."""
        captions = [tokenized_text(caption) for caption in captions]
        references = [[tokenized_text(text) for text in of_image] for of_image in references]
        if self.engine == "java":
            return by_java(captions, references, self.java, self.memory, self.time_limit_seconds)
        return by_python(captions, references, self.processes or os.cpu_count() or 1)
