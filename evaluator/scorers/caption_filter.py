"""CapFilt's filter: which captions do not fit their picture (Li et al. 2022, BLIP, section 4.2).

The captions may be a model's or people's. What is left is a captions file in COCO's format again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evaluator.core import Item
from evaluator.core.coco_id import coco_id
from evaluator.scorers.matching import Matches


@dataclass(frozen=True)
class Judged:
    """A caption with its probability of a match and its cosine; NaN where the picture cannot be read."""

    item: Item
    caption: str
    probability: float
    cosine: float

    def value(self, metric: str) -> float:
        return self.probability if metric == "ITM" else self.cosine


@dataclass(frozen=True)
class Filtered:
    """The captions on either side of a threshold, the worst first, and those that could not be judged."""

    matching: Sequence[Judged]
    others: Sequence[Judged]
    not_judged: Sequence[Judged]


def filtered(pairs: Sequence[tuple[Item, str]], found: Matches, metric: str, threshold: float) -> Filtered:
    """Captions whose `metric`, ITM or ITC, is at least the threshold, and the others."""
    judged = [
        Judged(item, caption, float(probability), float(cosine))
        for (item, caption), probability, cosine in zip(
            pairs, found.probabilities, found.cosines, strict=True
        )
    ]
    known = [one for one in judged if not np.isnan(one.value(metric))]
    return Filtered(
        matching=[one for one in known if one.value(metric) >= threshold],
        others=sorted(
            (one for one in known if one.value(metric) < threshold), key=lambda one: one.value(metric)
        ),
        not_judged=[one for one in judged if np.isnan(one.value(metric))],
    )


def as_results(kept: Sequence[Judged]) -> list[dict[str, Any]]:
    """A model's captions in COCO's results format."""
    return [{"image_id": coco_id(one.item.id), "caption": one.caption} for one in kept]


def as_annotations(items: Sequence[Item], kept: Sequence[Judged]) -> Mapping[str, Any]:
    """People's captions in COCO's format of captions, with every image, also one that lost all of them."""
    names = {item.id: item.file_name or (item.image.name if item.image else "") for item in items}
    return {
        "images": [{"id": coco_id(item.id), "file_name": names[item.id]} for item in items],
        "annotations": [
            {"id": number, "image_id": coco_id(one.item.id), "caption": one.caption}
            for number, one in enumerate(kept, 1)
        ],
    }
