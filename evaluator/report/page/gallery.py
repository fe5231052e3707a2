"""The gallery: every image with what people wrote about it and what each run said, in compact form.

The page's script draws from it only what is on the screen, so that 40,000 images open as fast as 40. What
belongs to one image stands at one place of every list:

    {"runs": ["git", "blip"], "metrics": ["CIDEr"], "columns": 1, "better": [1], "marked": true,
     "outcomes": ["ok", "refused"], "tagNames": ["dog"],
     "ids": ["42"], "references": [["a dog"]], "tags": [[0]], "pictures": [0], "noPicture": [],
     "answers": [{"captions": ["a dog on a sofa"], "ended": [0], "scores": [[12345]], "errors": {}}, ...]}

`better` is -1 where a lower score is better; `ended` counts within `outcomes`, -1 where a run is not about
the image; a score is in hundredths of a point.

Two runs are about the same image where its id and its references are the same. Captions, outcomes and scores
are those of the last scoring; a failure has a kind and an error text and never a caption.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from evaluator.comparison.compare import HEADLINE, METRIC_ORDER, Comparison, Row
from evaluator.core import Array, Item, Outcome
from evaluator.report.redact import without_folders

if TYPE_CHECKING:
    import pandas as pd

NOT_TRIED = "not tried"
NO_PICTURE = "no picture at hand"
NOT_IN_RUN = -1

# More columns of scores than this leave no room for the captions.
COLUMNS = 3
# To choose from, for gains and orders.
METRICS = 8

Key = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Answers:
    """What one run made of each image of the gallery."""

    captions: tuple[str | None, ...]
    ended: tuple[int, ...]  # places among the outcomes, NOT_IN_RUN where it is not about the image
    scores: Array  # (metrics, images), on the files' scale, NaN where there is none
    errors: Mapping[int, str]  # by the image's place


@dataclass(frozen=True)
class Gallery:
    """All images of some runs. Nothing of the pictures but which files they are."""

    items: tuple[Item, ...]
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    higher_is_better: tuple[bool, ...]  # of each metric
    outcomes: tuple[str, ...]
    answers: tuple[Answers, ...]
    best_is_marked: bool

    @property
    def columns(self) -> tuple[str, ...]:
        """The metrics that stand beside the captions; gains and orders can be by any."""
        return self.metrics[:COLUMNS]

    @property
    def tags(self) -> tuple[str, ...]:
        """Each tag once, in their alphabet."""
        return tuple(sorted({tag for item in self.items for tag in item.tags}))

    @property
    def failures(self) -> tuple[str, ...]:
        """The outcomes that occur, beside a caption."""
        found = {code for of_run in self.answers for code in of_run.ended if code != NOT_IN_RUN}
        return tuple(name for code, name in enumerate(self.outcomes) if code in found and name != Outcome.OK)

    def document(self, pictures: Sequence[int], no_picture: Sequence[str]) -> dict[str, Any]:
        """What the page's script reads; `pictures` are places among the pictures that the page has, or -1,
        and `no_picture` says for all images why they have none, empty for the others.
        """
        tags = self.tags
        number = {tag: place for place, tag in enumerate(tags)}
        return {
            "runs": self.labels,
            "metrics": self.metrics,
            "columns": len(self.columns),
            "better": [1 if higher else -1 for higher in self.higher_is_better],
            "marked": self.best_is_marked,
            "outcomes": self.outcomes,
            "tagNames": tags,
            "ids": [item.id for item in self.items],
            "references": [item.references for item in self.items],
            "tags": [[number[tag] for tag in item.tags] for item in self.items],
            "pictures": list(pictures),
            "noPicture": list(no_picture),
            "answers": [
                {
                    "captions": of_run.captions,
                    "ended": of_run.ended,
                    "scores": [hundredths(row) for row in of_run.scores],
                    "errors": {str(place): error for place, error in of_run.errors.items()},
                }
                for of_run in self.answers
            ],
        }


def gallery(comparison: Comparison) -> Gallery:
    """All images of all runs, in their order. Raises StoreError for a run that cannot be read."""
    metrics = shown_metrics(comparison)
    own = [row.run.items() for row in comparison.rows]
    items: dict[Key, Item] = {}
    for item in (item for of_run in own for item in of_run):
        key = (item.id, item.references)
        known = items.setdefault(key, item)
        image = known.image if has_picture(known) or not has_picture(item) else item.image
        tags = known.tags or item.tags  # given to some of the runs later
        if (image, tags) != (known.image, known.tags):
            items[key] = replace(known, image=image, tags=tags)
    places = {key: place for place, key in enumerate(items)}
    outcomes = (*map(str, Outcome), NOT_TRIED)
    answers = tuple(
        answers_of(row, of_run, places, scores_of(comparison, row, metrics), outcomes)
        for row, of_run in zip(comparison.rows, own, strict=True)
    )
    labels = tuple(row.label for row in comparison.rows)
    marked = same_scale(comparison, metrics)
    higher = tuple(map(comparison.higher_is_better, metrics))
    return Gallery(tuple(items.values()), labels, metrics, higher, outcomes, answers, marked)


def answers_of(
    row: Row,
    items: Sequence[Item],
    places: Mapping[Key, int],
    measured: pd.DataFrame,
    outcomes: Sequence[str],
) -> Answers:
    """One run's answers, each at its image's place; `measured` are its scores by image id."""
    ids = [item.id for item in items]
    table = row.run.per_image().reindex(ids)
    here = np.array([places[item.id, item.references] for item in items], np.intp)
    scores = np.full((measured.shape[1], len(places)), np.nan)
    scores[:, here] = measured.reindex(ids).to_numpy(np.float64).T
    names = [name if isinstance(name, str) else NOT_TRIED for name in table["outcome"]]
    captions: list[str | None] = [None] * len(places)
    ended = [NOT_IN_RUN] * len(places)
    code = {name: number for number, name in enumerate(outcomes)}
    for place, name, said in zip(here.tolist(), names, table["caption"], strict=True):
        ended[place] = code[name]
        if name == Outcome.OK and isinstance(said, str):
            captions[place] = said
    errors = {}
    if any(name not in (Outcome.OK, NOT_TRIED) for name in names):
        # Those of the outcomes that were scored: the ledger may have gone on since.
        told = row.run.captions()
        for item, place, name in zip(items, here.tolist(), names, strict=True):
            if name != Outcome.OK and item.id in told and told[item.id].outcome == name:
                errors[place] = error_text(item, told[item.id].error)
    return Answers(tuple(captions), tuple(ended), scores, {at: text for at, text in errors.items() if text})


def scores_of(comparison: Comparison, row: Row, metrics: Sequence[str]) -> pd.DataFrame:
    """A run's scores of single images, by image id: those that its score in the table is made of.

    Where runs are compared on shared images, CIDEr is weighed anew over these, and other images have none.
    """
    import pandas as pd

    ids, measured = list(comparison.contrasts.ids), comparison.contrasts.measurements[row.place]
    if not comparison.on_shared:
        ids, own = row.run.measurements()
        measured = {one.name: one for one in own}
    known = {metric: measured[metric].per_image for metric in metrics if metric in measured}
    return pd.DataFrame(known, index=ids if known else []).reindex(columns=list(metrics))


def hundredths(scores: Array) -> list[int | None]:
    """Hundredths of a point, None where there is no score: one digit more than the page shows.

    >>> hundredths(np.array([1.455532, np.nan]))
    [14555, None]
    """
    rounded = np.rint(10_000 * scores)
    return [None if np.isnan(value) else int(value) for value in rounded]


def shown_metrics(comparison: Comparison) -> tuple[str, ...]:
    """Those that were computed: the lead metric, the headline ones, those of one's own, then the others."""
    computed = comparison.computed
    own = [metric for metric in computed if metric.split(" (")[0] not in METRIC_ORDER]
    lead = comparison.lead_metric
    wanted = [lead, *(metric for metric in HEADLINE if metric in computed), *own, *computed[::-1]]
    return tuple(dict.fromkeys(metric for metric in wanted if metric))[:METRICS]


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


def error_text(item: Item, error: str) -> str:
    """Without the folders of the machine: a page is passed on."""
    return without_folders(error.replace(str(item.image), item.image.name) if item.image else error)
