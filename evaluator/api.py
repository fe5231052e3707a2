"""The metrics as a library, on anybody's captions: no run folder, no files.

>>> references = {"a": ["a cat on a mat"], "b": ["two dogs run", "dogs in a park"], "c": ["a red bus"]}
>>> measured = score({"a": "a cat on a mat", "b": "a dog runs", "c": "a bus"}, references)
>>> round(measured["CIDEr"].value, 4), measured["CIDEr"].per_image.round(2).tolist()
(3.9145, [10.0, 0.0, 1.74])
>>> measured["CIDEr"].signature.rpartition("|")[0]
'CIDEr|variant:D|n:4|sigma:6|tok:ptb|refs:1-2|idf:corpus|images:3'
>>> score(["a cat"], [["a cat"]], metrics=["BLEU"])["BLEU-4"].name
'BLEU-4'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from evaluator.core import Item, Measurement, Scorer
from evaluator.core.errors import ConfigError, DataError
from evaluator.core.kinds import SCORER_CLASSES
from evaluator.core.spelling import did_you_mean

# A metric's name here, and the kind of its scorer.
METRICS: Mapping[str, str] = MappingProxyType(
    {
        "BLEU": "bleu",
        "METEOR": "meteor",
        "ROUGE-L": "rouge",
        "CIDEr": "cider",
        "SPICE": "spice",
        "CLIPScore": "clipscore",
    }
)

Texts = str | Sequence[str]
Value = TypeVar("Value")


def score(
    captions: Mapping[str, str] | Sequence[str],
    references: Mapping[str, Texts] | Sequence[Texts],
    metrics: Sequence[str | Scorer] = ("BLEU", "ROUGE-L", "CIDEr"),
    images: Mapping[str, str | PathLike[str]] | Sequence[str | PathLike[str]] | None = None,
) -> dict[str, Measurement]:
    """Each metric's measurement by its name: `.value`, `.per_image` in the captions' order, `.signature`.

    Captions, references and images (paths, for CLIPScore) go by image id, or are lists in the same order. A
    metric is a name in METRICS, or a scorer with options of its own: `CIDEr(sigma=5)`. Raises DataError
    where a caption has no references, ConfigError for an unknown metric, NotComputed for one that cannot be
    computed here, with what to install.
    """
    texts, given, pictures = by_id(captions), by_id(references), by_id(images or {})
    if unknown := [key for key in texts if key not in given]:
        raise DataError(f"caption {unknown[0]!r} has no references: give one entry of references per caption")
    items = [
        Item(
            key,
            Path(pictures[key]) if key in pictures else None,
            (own,) if isinstance(own := given[key], str) else tuple(own),
        )
        for key in texts
    ]
    measurements = [
        measurement
        for metric in metrics
        for measurement in scorer_of(metric).score(items, list(texts.values()))
    ]
    return {measurement.name: measurement for measurement in measurements}


def by_id(values: Mapping[str, Value] | Sequence[Value]) -> dict[str, Value]:
    """The values by image id; those of a list by their index."""
    if isinstance(values, str):
        raise DataError(f"expected one entry per image, found the text {values[:40]!r}: put it in a list")
    if isinstance(values, Mapping):
        return dict(values)
    return {str(index): value for index, value in enumerate(values)}


def scorer_of(metric: str | Scorer) -> Scorer:
    """A scorer by its metric's name, in any case, with its default options."""
    if not isinstance(metric, str):
        return metric
    kinds = {name.lower(): kind for name, kind in METRICS.items()}
    if metric.lower() not in kinds:
        raise ConfigError(
            f"{metric!r} is not a metric.{did_you_mean(metric, METRICS)} "
            f"The metrics are {', '.join(METRICS)}; or give a scorer"
        )
    module, _, name = SCORER_CLASSES[kinds[metric.lower()]].rpartition(".")
    scorer: Scorer = getattr(import_module(module), name)()
    return scorer
