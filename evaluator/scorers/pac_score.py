"""PAC-S and RefPAC-S (Sarto et al. 2023, https://arxiv.org/abs/2303.12112).

A CLIP whose projections were trained further, also with generated pictures and captions. The score is
computed as CLIPScore is, with a weight of 2: twice the cosine of picture and caption, never below 0; RefPAC-S
is its harmonic mean with the caption's largest cosine to a reference. The weights are the authors'; users
fetch them themselves (github.com/aimagelab/pacscore).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from evaluator.core import TYPED_ONLY, Item
from evaluator.core.errors import MetricError
from evaluator.scorers.clip.features import Encoder
from evaluator.scorers.clipscore import CLIPScore


@dataclass(frozen=True)
class PACScore(CLIPScore):
    """Scores captions against their pictures with a CLIP of positive-augmented contrastive learning."""

    kind: ClassVar[str] = "pacscore"
    group: ClassVar[str] = "scorer.pacscore"
    weight: ClassVar[float] = 2.0

    weights: str | None = field(default=None, metadata=TYPED_ONLY)

    @property
    def names(self) -> tuple[str, ...]:
        return ("PAC-S", "RefPAC-S")

    def encoder(self, items: Sequence[Item], weights: str | None = None) -> Encoder:
        """Raises MetricError where no weights of PAC-S are given: a plain CLIP gives another score."""
        if self.weights is None and not Path(self.checkpoint).is_dir():
            raise MetricError(
                "PAC-S needs the weights of its authors (github.com/aimagelab/pacscore). Type "
                "scorer.pacscore.weights=clip_ViT-B-32.pth, or scorer.pacscore.checkpoint=DIR for a folder "
                "that holds them in transformers' form"
            )
        return super().encoder(items, weights or self.weights)
