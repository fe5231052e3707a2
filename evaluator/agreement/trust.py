"""How far metrics can be trusted: their agreement with people, with intervals and paired tests.

    trust("bleu", "flickr8k-expert=FOLDER")
    trust([CIDEr(sigma=5), my_function], ["flickr8k-cf=FOLDER", "thumb=FOLDER"])

Captions of one image are not independent, so an interval resamples images (Deutsch, Dror and Roth 2021,
https://aclanthology.org/2021.tacl-1.67). Two metrics are compared on the same resamples.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

import numpy as np

from evaluator.agreement.collections import read_collection
from evaluator.agreement.correlations import STATISTICS, Indices, Observations, system_means
from evaluator.agreement.function_metric import FunctionMetric, MetricFunction
from evaluator.agreement.judgements import Collection, Judged, StatisticName
from evaluator.agreement.raters import krippendorff_alpha
from evaluator.comparison.bootstrap import draw_counts, percentile_interval
from evaluator.comparison.paired_tests import p_value_text
from evaluator.core import Array, Item, Measurement, NotComputed, Runner, Scorer, Signature
from evaluator.core.errors import ConfigError
from evaluator.core.results import WithInterval
from evaluator.data.picture_files import AnnotatedImage, with_pictures
from evaluator.files.cache_folder import cache_folder
from evaluator.runner.default import DefaultRunner
from evaluator.scorers.measure import measure
from evaluator.store.judgements import FOLDER, costs_usd, folder_name, with_answers

Metric = str | Scorer | MetricFunction


@dataclass(frozen=True, eq=False)
class Agreement(WithInterval):
    """One statistic of one metric on one collection, with its interval; the numbers are coefficients."""

    metric: str
    collection: str  # its name; of a part, such as Pascal-50S' HC: pascal50s:HC
    statistic: StatisticName
    value: float  # NaN for a metric that scores all captions alike
    low: float
    high: float
    images: int
    pairs: int  # of an image and a caption
    signature: Signature
    published: float | None  # in points
    resampled: Array  # the statistic of each resample, the same resamples for every metric


@dataclass(frozen=True)
class Gap(WithInterval):
    """How much better one metric agrees with people than another, on the same images."""

    value: float
    low: float
    high: float
    p_value: float  # two-sided, from the resamples
    is_floor: bool  # no resample lies beyond zero: the p-value is at most this

    @property
    def p_text(self) -> str:
        return f"p < {self.p_value:.1g}" if self.is_floor else p_value_text(self.p_value)


@dataclass(frozen=True, eq=False)
class Trusted:
    """What is known of some metrics on one collection."""

    collection: Collection
    measurements: tuple[Measurement, ...]  # row i belongs to collection.judged[i]
    agreements: tuple[Agreement, ...]
    not_computed: tuple[NotComputed, ...]
    raters_alpha: float  # NaN where each caption has one rating
    confidence: float
    costs_usd: Mapping[str, float | None] = field(default_factory=dict)  # of judges, by metric

    def ranked(self) -> list[Agreement]:
        """By part of the collection and statistic; then the best metric first."""
        order = list(dict.fromkeys((one.collection, one.statistic) for one in self.agreements))
        return sorted(
            self.agreements,
            key=lambda one: (
                order.index((one.collection, one.statistic)),
                math.isnan(one.value),
                -one.value,
            ),
        )

    def behind_best(self, one: Agreement) -> Gap | None:
        """How much the best metric agrees better than this one; None for the best itself."""
        same = (other for other in self.ranked() if is_comparable(one, other))
        best = next(same)
        return None if one is best else gap(best, one, self.confidence)

    def systems(self) -> dict[str, dict[str, float]]:
        """The mean of each system by people ("people") and by each metric; empty without systems."""
        names, system = _numbered([one.system for one in self.collection.judged])
        if len(names) < 2:
            return {}
        ratings = np.array([one.rating for one in self.collection.judged])
        columns = {"people": ratings} | {one.name: one.per_image for one in self.measurements}
        return {
            column: dict(zip(names, system_means(values, system, np.ones(len(values))).tolist(), strict=True))
            for column, values in columns.items()
        }


def is_comparable(one: Agreement, other: Agreement) -> bool:
    """Whether both are the same statistic over the same captions, and so share their resamples."""
    return (one.collection, one.statistic, one.pairs) == (other.collection, other.statistic, other.pairs)


def gap(one: Agreement, other: Agreement, confidence: float = 0.95) -> Gap:
    """One metric's agreement minus another's. Raises ValueError where they are not comparable."""
    if not is_comparable(one, other):
        raise ValueError("two agreements are compared by the same statistic over the same captions")
    moved = one.resampled - other.resampled
    low, high = interval(moved, confidence)
    known = moved[np.isfinite(moved)]
    beyond = min(int((known <= 0).sum()), int((known >= 0).sum()))
    p_value = min(1.0, 2 * (beyond + 1) / (len(known) + 1))
    return Gap(one.value - other.value, low, high, p_value, is_floor=beyond == 0)


def trust(
    metric: Metric | Sequence[Metric],
    judgements: str | Collection | Sequence[str | Collection],
    statistics: Sequence[StatisticName] = (),
    images: Path | None = None,
    resamples: int = 1000,
    confidence: float = 0.95,
    seed: int = 0,
    runner: Runner | None = None,
    answers: Path | None = None,
) -> list[Trusted]:
    """Each collection's agreements with these metrics.

    A metric is a name as `evaluator.score` takes it, a scorer, or a function of a caption and its references.
    Judgements are NAME=PATH, or collections read already. Without `statistics` each collection's first one is
    computed, which is the one that papers report. `images` is the folder with the pictures. Judges ask
    through `runner`, and their answers are kept in the folder `answers`, else in the cache folder. Raises
    ConfigError for unknown names, DataError for files that are wrong. A metric that cannot be computed here
    is among `not_computed`, with the reason.
    """
    metrics = [metric] if isinstance(metric, str) or not isinstance(metric, Sequence) else metric
    named = [judgements] if isinstance(judgements, str | Collection) else judgements
    scorers = [_scorer(one) for one in metrics]
    collections = [one if isinstance(one, Collection) else read_collection(one) for one in named]
    if images is not None:
        collections = [with_images(collection, images) for collection in collections]
    if unknown := [name for name in statistics if name not in STATISTICS]:
        raise ConfigError(f"{unknown[0]!r} is not a statistic. The statistics are {', '.join(STATISTICS)}")
    folder = answers or cache_folder(FOLDER)
    return [
        trusted(
            collection,
            with_answers(
                {str(index): scorer for index, scorer in enumerate(scorers)},
                folder / folder_name(collection.name),
                runner or DefaultRunner(),
            ),
            statistics or collection.statistics[:1],
            resamples,
            confidence,
            seed,
        )
        for collection in collections
    ]


def with_images(collection: Collection, folder: Path) -> Collection:
    """The collection with the paths of its pictures in this folder. Raises DataError where it has none."""
    names = dict.fromkeys(one.image for one in collection.judged)
    listed = [AnnotatedImage(name, name, ()) for name in names]
    pictures = {item.id: item.image for item in with_pictures(listed, folder, Path(collection.name))}
    judged = tuple(replace(one, picture=pictures[one.image]) for one in collection.judged)
    return replace(collection, judged=judged)


def trusted(
    collection: Collection,
    scorers: Mapping[str, Scorer],
    statistics: Sequence[StatisticName],
    resamples: int,
    confidence: float,
    seed: int,
) -> Trusted:
    """The agreements of these scorers with one collection."""
    measurements, not_computed = measured(collection, scorers)
    oriented = [(measurement, measurement.oriented) for measurement in measurements]
    tagged = parts(collection)
    return Trusted(
        collection=collection,
        measurements=tuple(measurements),
        agreements=tuple(
            agreement(part, scores[rows], measurement, statistic, resamples, confidence, seed)
            for statistic in statistics
            for part, rows in tagged
            for measurement, scores in oriented
            if np.isfinite(scores[rows]).any()
        ),
        not_computed=tuple(not_computed),
        raters_alpha=krippendorff_alpha(collection.judged),
        confidence=confidence,
        costs_usd=costs_usd(scorers),
    )


def measured(
    collection: Collection, scorers: Mapping[str, Scorer]
) -> tuple[list[Measurement], list[NotComputed]]:
    """The score of each judged caption by each metric, and the metrics that cannot be computed."""
    items = [Item(str(index), one.picture, one.references) for index, one in enumerate(collection.judged)]
    captions = [one.caption for one in collection.judged]
    return measure(scorers, items, captions)


def parts(collection: Collection) -> list[tuple[Collection, Indices]]:
    """The collection and, where its captions have tags, the part with each tag; and the captions in each."""
    every = np.arange(len(collection.judged))
    tags = list(dict.fromkeys(one.tag for one in collection.judged if one.tag))
    rows = {tag: every[[one.tag == tag for one in collection.judged]] for tag in tags}
    tagged = [
        (
            replace(
                collection,
                name=f"{collection.name}:{tag}",
                judged=tuple(collection.judged[index] for index in rows[tag]),
            ),
            rows[tag],
        )
        for tag in tags
    ]
    return [(collection, every), *tagged]


def agreement(
    collection: Collection,
    scores: Array,
    measurement: Measurement,
    statistic: StatisticName,
    resamples: int,
    confidence: float,
    seed: int,
) -> Agreement:
    """One metric's agreement with people, over the captions that it could score.

    `scores` (captions,) are higher for better captions, and NaN for those without a score.
    """
    kept = [index for index, score in enumerate(scores) if np.isfinite(score)]
    judged = [collection.judged[index] for index in kept]
    observed = observations(judged, scores[kept])
    of = STATISTICS[statistic](observed)
    resampled = np.array([of(counts) for counts in draws(observed.images, resamples, seed)])
    low, high = interval(resampled, confidence)
    recipe = f"collection:{collection.name}|{collection.recipe}|resampled:images"
    return Agreement(
        metric=measurement.name,
        collection=collection.name,
        statistic=statistic,
        value=of(np.ones(observed.images, np.int64)),
        low=low,
        high=high,
        images=observed.images,
        pairs=len(judged),
        signature=Signature(f"{statistic}|{recipe}|metric:{measurement.signature}"),
        published=(collection.published or {}).get((measurement.name, statistic)),
        resampled=resampled,
    )


def observations(judged: Sequence[Judged], scores: Array) -> Observations:
    """Each rating of each caption beside the caption's score."""
    times = [len(one.ratings) for one in judged]
    pairs = [one.pair for one in judged]
    return Observations(
        metric=np.repeat(scores, times),
        people=np.array([rating for one in judged for rating in one.ratings]),
        image=np.repeat(_numbered([one.image for one in judged])[1], times),
        pair=np.repeat(_numbered(pairs)[1], times) if any(pairs) else None,
        system=np.repeat(_numbered([one.system for one in judged])[1], times),
    )


def interval(resampled: Array, confidence: float) -> tuple[float, float]:
    """Its two ends; NaN where no resample has a value, as for a metric that scores all captions alike."""
    if np.isnan(resampled).all():
        return math.nan, math.nan
    return percentile_interval(resampled, confidence)


def draws(images: int, resamples: int, seed: int) -> Iterator[Indices]:
    """How often each image is drawn, one resample at a time; the same for the same seed."""
    for counts in draw_counts(images, resamples, [seed, 2]):  # other numbers than those of scores
        yield from counts.astype(np.int64)


def _numbered(names: Sequence[str]) -> tuple[list[str], Indices]:
    """The distinct names in their order, and which of them each entry is."""
    numbers: dict[str, int] = {}
    indices = [numbers.setdefault(name, len(numbers)) for name in names]
    return list(numbers), np.array(indices, np.int64)


def _scorer(metric: Metric) -> Scorer:
    from evaluator.api import scorer_of

    if isinstance(metric, str):
        return scorer_of(metric)
    return cast(Scorer, metric) if hasattr(metric, "score") else FunctionMetric(metric)
