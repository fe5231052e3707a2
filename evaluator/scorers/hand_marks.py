"""The share of the captions marked by hand that somebody found good.

People mark captions as good or bad in the report, which exports the marks. Most captions have none: the score
is of those that were marked, says how many these are, and its interval is as wide as so few allow. Whoever
marks chooses what to look at, so that the score is of that choice and not of the whole data set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

import numpy as np

from evaluator.config.identity import content_digest
from evaluator.core import TYPED_ONLY, Item, Measurement
from evaluator.core.aggregates import SHARE
from evaluator.core.errors import MetricError
from evaluator.files.hand_marks import GOOD, as_marked, by_caption, read_marks
from evaluator.scorers.signature import signature

NAME = "marked good"


@dataclass(frozen=True)
class HandMarks:
    """Scores captions by the marks that a person gave them in the report."""

    kind: ClassVar[str] = "marks"

    file: Path | None = field(default=None, metadata=TYPED_ONLY)  # as the report exported it

    @property
    def names(self) -> tuple[str, ...]:
        return (NAME,)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """1 for a good caption, 0 for a bad one; a note alone is no score.

        Raises DataError for another file, and MetricError where none of the captions is marked.
        """
        if self.file is None:
            raise MetricError(f"{NAME} needs marks that the report exported. Type --marks FILE")
        marks = by_caption(read_marks(self.file))
        found = [
            marks.get(as_marked(item.id, caption)) for item, caption in zip(items, captions, strict=True)
        ]
        given = [mark.mark if mark else "" for mark in found]
        if not any(given):
            raise MetricError(f"{self.file} marks no caption as good or bad that this run has today")
        statistics = np.array([(mark == GOOD, mark != "") for mark in given], np.float64)
        notes = [mark.note if mark else "" for mark in found]
        digest = content_digest(self.file).removeprefix("sha256:")
        signed = signature(NAME, items, marks=digest[:8])
        return [Measurement(NAME, statistics, SHARE, signed, notes=notes if any(notes) else ())]
