"""The gallery: some images with what people wrote about them and what each run said.

Two runs are about the same image where its id and its references are the same. Captions, outcomes and scores
are those of the last scoring; a failure has a kind and an error text and never a caption.
"""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluator.compare import Comparison, Row
from evaluator.core import Item, Outcome
from evaluator.errors import ImageError
from evaluator.images import thumbnail
from evaluator.report.places import without_folders

NOT_TRIED = "not tried"
NOT_IN_RUN = "not in this run"
NO_PICTURE = "no picture at hand"


@dataclass(frozen=True)
class Answer:
    """What one run made of one image: a caption with its scores, or a kind of failure and its error."""

    label: str
    outcome: str
    caption: str | None = None
    error: str = ""
    scores: tuple[float | None, ...] = ()  # in points, in the gallery's order of metrics
    best: bool = False  # the first of its scores is the highest of the card


@dataclass(frozen=True)
class Card:
    """One image of the gallery."""

    item_id: str
    references: tuple[str, ...]
    picture: str | None  # a data URI
    no_picture: str
    answers: tuple[Answer, ...]

    @property
    def first_scores(self) -> list[float]:
        return [answer.scores[0] for answer in self.answers if answer.scores and answer.scores[0] is not None]

    @property
    def lowest(self) -> float | None:
        return min(self.first_scores, default=None)

    @property
    def spread(self) -> float | None:
        """How far apart the best and the worst run are."""
        return max(self.first_scores) - min(self.first_scores) if len(self.first_scores) > 1 else None


@dataclass(frozen=True)
class Gallery:
    """The images shown, out of how many, and which per-image scores stand beside the captions."""

    cards: tuple[Card, ...]
    images: int
    metrics: tuple[str, ...]
    best_is_marked: bool


@dataclass(frozen=True)
class Told:
    """What one run holds about its images, by id."""

    label: str
    references: Mapping[str, tuple[str, ...]]
    rows: Mapping[str, Mapping[str, Any]]  # of per_image.parquet
    errors: Mapping[tuple[str, str], str]  # by id and outcome: the ledger may have gone on since the scoring


def gallery(comparison: Comparison, limit: int) -> Gallery:
    """At most `limit` images over all runs. Raises StoreError for a run that cannot be read."""
    metrics = shown_metrics(comparison)
    if limit < 1:  # a kept run has no table of its images
        return Gallery((), max(row.results.images for row in comparison.rows), metrics, best_is_marked=False)
    items: dict[tuple[str, tuple[str, ...]], Item] = {}
    runs = []
    for row in comparison.rows:
        own = row.run.items()
        for item in own:
            known = items.setdefault((item.id, item.references), item)
            if not has_picture(known) and has_picture(item):
                items[item.id, item.references] = item
        runs.append(told(row, own, metrics))
    shown = choose(list(items.values()), limit)
    marked = same_scale(comparison, metrics)
    return Gallery(tuple(card(item, runs, metrics, marked) for item in shown), len(items), metrics, marked)


def shown_metrics(comparison: Comparison) -> tuple[str, ...]:
    """CIDEr and CLIPScore where they were computed, else the lead metric."""
    computed = [
        metric
        for metric in ("CIDEr", "CLIPScore")
        if any(row.score(metric).computed for row in comparison.rows)
    ]
    lead = comparison.lead_metric
    return tuple(computed) or ((lead,) if lead else ())


def same_scale(comparison: Comparison, metrics: Sequence[str]) -> bool:
    """Whether the first metric's scores of two runs can be told apart by their captions alone.

    CIDEr's document frequencies differ already where one run captioned fewer images.
    """
    found = [row.score(metric) for metric in metrics[:1] for row in comparison.rows]
    signatures = [score.signature for score in found if score.computed]
    return len(signatures) > 1 and len(set(signatures)) == 1


def has_picture(item: Item) -> bool:
    # A folder that may not be entered is no error here: pathlib's is_file would raise.
    return item.image is not None and os.path.isfile(item.image)


def choose(items: Sequence[Item], limit: int) -> list[Item]:
    """At most `limit` items, evenly spread in their order; those with a picture at hand come first."""
    at_hand = [place for place, item in enumerate(items) if has_picture(item)]
    others = sorted(set(range(len(items))) - set(at_hand))
    chosen = spread_evenly(at_hand, limit)
    chosen += spread_evenly(others, limit - len(chosen))
    return [items[place] for place in sorted(chosen)]


def spread_evenly(places: Sequence[int], count: int) -> list[int]:
    """`count` of these places, at equal distances.

    >>> spread_evenly(range(10), 4)
    [0, 2, 5, 7]
    """
    count = min(count, len(places))
    return [places[number * len(places) // count] for number in range(count)]


def told(row: Row, items: Sequence[Item], metrics: Sequence[str]) -> Told:
    table = row.run.per_image()
    columns = ["outcome", "caption", *(metric for metric in metrics if metric in table)]
    by_id: dict[Any, dict[Any, Any]] = table[columns].to_dict("index")
    return Told(
        label=row.label,
        references={item.id: item.references for item in items},
        rows={str(item_id): entry for item_id, entry in by_id.items()},
        errors={(caption.item_id, caption.outcome): caption.error for caption in row.run.captions().values()},
    )


def card(item: Item, runs: Sequence[Told], metrics: Sequence[str], best_is_marked: bool) -> Card:
    picture, no_picture = picture_of(item)
    answers = tuple(answer(item, run, metrics) for run in runs)
    found = Card(item.id, item.references, picture, no_picture, answers)
    if not best_is_marked or len(found.first_scores) < 2:
        return found
    highest = max(found.first_scores)
    return replace(found, answers=tuple(replace(a, best=highest in a.scores[:1]) for a in answers))


def answer(item: Item, run: Told, metrics: Sequence[str]) -> Answer:
    if run.references.get(item.id) != item.references:
        return Answer(run.label, NOT_IN_RUN)
    row = run.rows.get(item.id)
    if row is None:
        return Answer(run.label, NOT_TRIED)
    outcome, caption = str(row["outcome"]), row["caption"]
    if outcome != Outcome.OK or not isinstance(caption, str):
        return Answer(run.label, outcome, error=error_text(item, run.errors.get((item.id, outcome), "")))
    return Answer(run.label, outcome, caption, scores=tuple(in_points(row.get(metric)) for metric in metrics))


def in_points(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else 100 * value


def error_text(item: Item, error: str) -> str:
    """Without the folders of the machine: a page is passed on."""
    return without_folders(error.replace(str(item.image), item.image.name) if item.image else error)


def picture_of(item: Item) -> tuple[str | None, str]:
    """A data URI, or None and why there is none."""
    if item.image is None or not has_picture(item):
        return None, NO_PICTURE
    try:
        content = thumbnail(item.image)
    except ImageError:
        return None, "picture cannot be read"
    return f"data:image/jpeg;base64,{base64.b64encode(content).decode()}", ""
