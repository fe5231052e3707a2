"""The metrics as a library, on anybody's captions: no run folder, no files.

>>> references = {"a": ["a cat on a mat"], "b": ["two dogs run", "dogs in a park"], "c": ["a red bus"]}
>>> measured = score({"a": "a cat on a mat", "b": "a dog runs", "c": "a bus"}, references)
>>> round(measured["CIDEr"].value, 4), measured["CIDEr"].per_image.round(2).tolist()
(3.9145, [10.0, 0.0, 1.74])
>>> measured["CIDEr"].signature.rpartition("|")[0]
'CIDEr|variant:D|n:4|sigma:6|tok:ptb|refs:1-2|idf:corpus|images:3'
>>> score(["a cat", "dogs"], [["a cat"], ["two dogs"]], metrics=["CIDEr"])
CIDEr    3.3717  (1.7434 to 5.0000)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from types import MappingProxyType
from typing import Any

from typing_extensions import TypeIs

from evaluator.captions_files.texts import all_texts, one_text
from evaluator.comparison.bootstrap import intervals, score_of
from evaluator.core import Item, Measurement, Runner, Score, Scorer
from evaluator.core.errors import ConfigError, DataError
from evaluator.core.kinds import scorer_class
from evaluator.core.spelling import did_you_mean
from evaluator.files.cache_folder import cache_folder
from evaluator.runner.default import DefaultRunner
from evaluator.store.judgements import FOLDER, with_answers

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

# A text; also in a list of one or in an object, as pycocoevalcap has it: [{"caption": "a dog"}].
Text = str | Mapping[str, Any] | Sequence[str | Mapping[str, Any]]


def score(
    captions: Mapping[Any, Text] | Sequence[Text],
    references: Mapping[Any, Text] | Sequence[Text],
    metrics: Sequence[str | Scorer] = ("BLEU", "ROUGE-L", "CIDEr"),
    images: Mapping[Any, str | PathLike[str]] | Sequence[str | PathLike[str]] | None = None,
    runner: Runner | None = None,
) -> Scores:
    """Each metric's measurement by its name: `.value`, `.low` and `.high` of its 95 % interval, `.per_image`
    in the captions' order, `.signature`.

    Captions, references and images (paths, for CLIPScore) go by image id, or are lists in the same order. The
    ids 1 and "1" are the same. A metric is a name in METRICS, or a scorer with options of its own:
    `CIDEr(sigma=5)`, `Judge("gemini")`. A judge asks through `runner`, which has the limits and the budget;
    its answers are kept in the cache folder. Raises DataError where a caption has no references or is no
    text, ConfigError for an unknown metric, MetricError for one that cannot be computed here.
    """
    texts = {key: caption_of(key, value) for key, value in by_id(captions, "captions").items()}
    given, pictures = by_id(references, "references"), by_id(images or {}, "images")
    refuse_other_order(captions, references)
    if unknown := [key for key in texts if key not in given]:
        raise DataError(f"caption {unknown[0]!r} has no references: give one entry of references per caption")
    items = [
        Item(key, Path(pictures[key]) if key in pictures else None, references_of(key, given[key]))
        for key in texts
    ]
    named = {str(index): scorer_of(metric) for index, metric in enumerate(metrics)}
    scorers = with_answers(named, cache_folder(FOLDER) / "python", runner or DefaultRunner())
    measurements = [
        measurement
        for scorer in scorers.values()
        for measurement in scorer.score(items, list(texts.values()))
    ]
    return Scores(
        {
            one.name: Measured(*(getattr(one, each.name) for each in fields(Measurement)))
            for one in measurements
        }
    )


class Measured(Measurement):
    """A measurement with its interval, which it prints."""

    @cached_property
    def score(self) -> Score:
        """The value with its 95 % bootstrap interval, on the reference program's scale."""
        return score_of(self, intervals([self])[0])

    @property
    def low(self) -> float:
        return self.score.low

    @property
    def high(self) -> float:
        return self.score.high

    def __repr__(self) -> str:
        return f"{self.score}"


class Scores(dict[str, Measured]):
    """What `score` gives: a dict that prints as a table."""

    def __repr__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(
            f"{one.name:{width}}  {one.value:8.4f}  ({one.low:.4f} to {one.high:.4f})"
            for one in self.values()
        )

    def _repr_html_(self) -> str:
        """The same for a notebook."""
        rows = "".join(
            f"<tr><th>{escape(one.name)}</th><td>{one.value:.4f}</td>"
            f"<td>{one.low:.4f} to {one.high:.4f}</td></tr>"
            for one in self.values()
        )
        return f"<table><tr><th>metric</th><th>score</th><th>95 % interval</th></tr>{rows}</table>"


def by_id(values: Any, what: str) -> dict[str, Any]:
    """The values by image id; those of a list by their index. Raises DataError for anything else."""
    if isinstance(values, Mapping):
        named = {str(key): value for key, value in values.items()}
        if len(named) < len(values):
            twice = next(key for key, times in Counter(map(str, values)).items() if times > 1)
            raise DataError(f"{what}: the image {twice} is there twice, as a number and as a text")
        return named
    if isinstance(values, str):
        raise DataError(f"expected one entry per image, found the text {values[:40]!r}: put it in a list")
    if not isinstance(values, Sequence):
        values = values.tolist() if hasattr(values, "tolist") else values  # an array, a column of a table
        if not isinstance(values, list):
            raise DataError(f"{what}: expected a dict by image id, or a list, found {_named(values)}")
    return {str(index): value for index, value in enumerate(values)}


def caption_of(key: str, value: object) -> str:
    """The text of a caption. Raises DataError that names the image where it is none."""
    if (text := one_text(value)) is None:
        raise DataError(f"the caption of image {key!r}: expected one text, found {_named(value)}")
    return text


def references_of(key: str, value: object) -> tuple[str, ...]:
    """The texts of one image's references. Raises DataError that names the image where they are none."""
    texts = all_texts(value)
    if texts is None:
        wrong = next((each for each in value if one_text(each) is None), value) if _is_list(value) else value
        raise DataError(f"the references of image {key!r}: expected texts, found {_named(wrong)}")
    return texts


def refuse_other_order(captions: object, references: object) -> None:
    """Raise DataError where captions and references cannot be in the same order."""
    if isinstance(captions, Mapping) != isinstance(references, Mapping):
        raise DataError("give captions and references both by image id, or both as lists in the same order")
    if not (_is_list(captions) and _is_list(references)) or len(captions) == len(references):
        return
    advice = "give one entry of references per caption"
    if all(_is_list(each) and len(each) == len(captions) for each in references):
        advice = "they are transposed. Give the references of each image together: list(zip(*references))"
    raise DataError(f"captions: {len(captions)}, entries of references: {len(references)}; {advice}")


def _is_list(value: object) -> TypeIs[Sequence[Any]]:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _named(value: object) -> str:
    if value is None:
        return "None"
    if isinstance(value, list | tuple):
        return f"a {type(value).__name__} of {len(value)}"
    return f"{type(value).__name__} {str(value)[:40]!r}"


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
    scorer: Scorer = scorer_class(kinds[metric.lower()])()
    return scorer
