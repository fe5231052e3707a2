"""CLIPScore and RefCLIPScore (Hessel et al. 2021, https://arxiv.org/abs/2104.08718).

As in github.com/jmhessel/clipscore, CLIPScore is 2.5 times the cosine of picture and caption, never below 0.
RefCLIPScore is its harmonic mean with the caption's largest cosine to a reference, never below 0 either.
"A photo depicts " is put before captions and references. That program computes in float16 on a GPU and in
float32 on a CPU; here it is float32 on both, unless `dtype` says otherwise.

    >>> clip_score(np.array([[3.0, 4.0]]), np.array([[3.0, 4.0]])).tolist()
    [2.5]
    >>> ref_clip_score(np.array([0.6]), np.array([[1.0, 0.0]]), [np.array([[0.6, 0.8], [0.0, 1.0]])]).tolist()
    [0.6]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from annotated_types import Ge
from numpy.typing import NDArray

from evaluator.core import RUNTIME_ONLY, TYPED_ONLY, Array, Item, Measurement
from evaluator.core.cut_off import cut_off_notes
from evaluator.core.errors import MetricError
from evaluator.scorers.clip.checkpoint import load_encoder
from evaluator.scorers.clip.features import Encoder
from evaluator.scorers.references import rows_of_mean
from evaluator.scorers.signature import checkpoint_name, signature

FeatureRows = NDArray[np.floating[Any]]

WEIGHT = 2.5  # of the paper, so that scores use most of the range from 0 to 1


def clip_score(image_features: FeatureRows, text_features: FeatureRows, weight: float = WEIGHT) -> Array:
    """Rows (N, D) of pictures and their captions -> (N,), from 0 to `weight`; NaN where a row is NaN."""
    cosines = (_unit(image_features) * _unit(text_features)).sum(axis=1)
    return np.asarray(weight * np.maximum(cosines, 0.0))


def ref_clip_score(
    clip_scores: Array, text_features: FeatureRows, reference_features: Sequence[FeatureRows]
) -> Array:
    """CLIPScores (N,), captions (N, D) and N arrays of (references, D) -> (N,); NaN without references.

    Two zeros have a harmonic mean of 0.
    """
    best = np.array(
        [
            (_unit(references) @ caption).max() if len(references) else np.nan
            for caption, references in zip(_unit(text_features), reference_features, strict=True)
        ]
    )
    best = np.maximum(best, 0.0)
    total = clip_scores + best
    return np.where(total == 0.0, 0.0, 2.0 * clip_scores * best / np.where(total == 0.0, 1.0, total))


@dataclass(frozen=True)
class CLIPScore:
    """Scores captions against their pictures with a CLIP or a SigLIP."""

    kind: ClassVar[str] = "clipscore"
    group: ClassVar[str] = "scorer.clipscore"  # where its options stand
    weight: ClassVar[float] = WEIGHT

    checkpoint: str = field(default="openai/clip-vit-base-patch32", metadata=TYPED_ONLY)
    revision: str | None = field(default=None, metadata=TYPED_ONLY)
    device: str = field(default="auto", metadata=RUNTIME_ONLY)
    dtype: Literal["float32", "float16", "bfloat16"] = "float32"
    batch_size: Annotated[int, Ge(1)] = field(default=64, metadata=RUNTIME_ONLY)
    prefix: str = "A photo depicts "
    safetensors_only: bool = field(default=True, metadata=TYPED_ONLY)

    @property
    def names(self) -> tuple[str, ...]:
        return ("CLIPScore", "RefCLIPScore")

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Without and with references, if any item has them. Raises MetricError with the reason."""
        encoder = self.encoder(items)
        pictures = encoder.images([item.image for item in items])
        prefixed = [self.prefix + caption for caption in captions]
        texts, tokens = encoder.texts(prefixed, "captions"), encoder.token_counts(prefixed)
        scores = clip_score(pictures, texts, self.weight)
        measurements = [self.measurement(self.names[0], scores, items, encoder, tokens)]
        if any(item.references for item in items):
            flat = [self.prefix + reference for item in items for reference in item.references]
            ends = np.cumsum([len(item.references) for item in items])
            references = np.split(encoder.texts(flat, "references", remember=True), ends[:-1])
            scores = ref_clip_score(scores, texts, references)
            measurements.append(self.measurement(self.names[1], scores, items, encoder, tokens))
        return measurements

    def encoder(self, items: Sequence[Item], weights: str | None = None) -> Encoder:
        """The loaded model, with other weights from a file if one is given.

        Raises MetricError where there is no picture, or no model can be loaded.
        """
        if not any(item.image for item in items):
            name = self.names[0]
            raise MetricError(
                f"{name} needs the pictures, and none are given. Type --images DIR, or data.images=DIR"
            )
        return load_encoder(self, self.names[0], weights)

    def measurement(
        self, name: str, scores: Array, items: Sequence[Item], encoder: Encoder, tokens: Sequence[int]
    ) -> Measurement:
        """Of scores (N,), NaN where there is none, and the number of tokens of each caption."""
        rows, read = rows_of_mean(scores), encoder.context_length
        return Measurement(
            name,
            rows,
            "mean",
            signature(
                name,
                items,
                checkpoint=checkpoint_name(self.checkpoint),
                version=encoder.version[:8],
                dtype=self.dtype,
                weight=self.weight,
                prefix=self.prefix.strip(),
            ),
            notes=cut_off_notes(read, tokens, ~np.isnan(scores)),
        )


def _unit(rows: FeatureRows) -> Array:
    """Rows of length 1; a row of zeros stays."""
    lengths = np.linalg.norm(rows.astype(np.float64), axis=-1, keepdims=True)
    return np.asarray(rows / np.where(lengths == 0.0, 1.0, lengths), dtype=np.float64)
