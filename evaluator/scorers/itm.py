"""ITM and ITC: does the caption fit its picture, as BLIP's filter of captions judges (CapFilt).

Li et al. 2022 (BLIP, https://arxiv.org/abs/2201.12086, section 4.2) clean web captions with an image-text
matching head: a caption that it calls no match is left out. The metric ITM is the head's probability of a
match, from 0 to 1, and ITC the cosine of the contrastive features, from -1 to 1. Neither needs references.
`evaluator filter` lists and leaves out the captions below a threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from evaluator.core import RUNTIME_ONLY, TYPED_ONLY, Array, Item, Measurement
from evaluator.core.errors import MetricError
from evaluator.scorers.matching import Matcher, load_matcher
from evaluator.scorers.references import rows_of_mean
from evaluator.scorers.signature import checkpoint_name, signature


@dataclass(frozen=True)
class ITM:
    """Scores captions against their pictures with the matching head of a BLIP or a BLIP-2."""

    kind: ClassVar[str] = "itm"
    group: ClassVar[str] = "scorer.itm"  # where its options stand

    checkpoint: str = field(default="Salesforce/blip-itm-base-coco", metadata=TYPED_ONLY)
    revision: str | None = field(default=None, metadata=TYPED_ONLY)
    device: str = field(default="auto", metadata=RUNTIME_ONLY)
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"
    batch_size: Annotated[int, Ge(1)] = field(default=32, metadata=RUNTIME_ONLY)
    safetensors_only: bool = field(default=True, metadata=TYPED_ONLY)

    @property
    def names(self) -> tuple[str, ...]:
        return ("ITM", "ITC")

    def matcher(self) -> Matcher:
        """The loaded model. Raises MetricError with the reason."""
        return load_matcher(self)

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """ITM and ITC of each caption. Raises MetricError with the reason."""
        if not any(item.image for item in items):
            raise MetricError(
                "ITM needs the pictures, and none are given. Type --images DIR, or data.images=DIR"
            )
        matcher = self.matcher()
        found = matcher.matches([(item.image, text) for item, text in zip(items, captions, strict=True)])
        return [
            self._measurement("ITM", found.probabilities, items, matcher.version),
            self._measurement("ITC", found.cosines, items, matcher.version),
        ]

    def _measurement(self, name: str, scores: Array, items: Sequence[Item], version: str) -> Measurement:
        described = signature(
            name,
            items,
            checkpoint=checkpoint_name(self.checkpoint),
            version=version[:8],
            dtype=self.dtype,
        )
        return Measurement(name, rows_of_mean(scores), "mean", described)
