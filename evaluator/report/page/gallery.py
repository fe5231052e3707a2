"""The gallery: every image with what people wrote about it and what each run said, in compact form.

The page's script draws from it only what is on the screen, so that 40,000 images open as fast as 40. Every
list has one entry per image, in the same order:

    {"runs": ["GIT", "BLIP"], "names": ["git-3f2a", "blip"], "dataset": "5d41...",
     "metrics": ["CIDEr"], "columns": 1, "better": [1], "marked": true,
     "outcomes": ["ok", "refused"], "tagNames": ["dog"],
     "ids": ["42"], "references": [["a dog"]], "tags": [[0]], "pictures": [0], "noPicture": [""],
     "answers": [{"captions": ["a dog on a sofa"], "ended": [0], "scores": [[12345]], "errors": {},
                  "notes": {"CHAIR-s": ["invented: sofa"]}}, ...],
     "marks": [[0, 0, "good", "names the sofa"]]}

`names` are what exported files call the runs; `better` is -1 where a lower score is better; `ended` is an
index of `outcomes`, -1 where the run does not have the image; a score is in hundredths of a point; `notes`
are what a metric says of a caption in words; a mark has the index of its run and of its image.

Two runs have the same image where its id and its references are the same. A failure has a kind and an error
text and never a caption.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evaluator.audit.failure_texts import as_failure
from evaluator.audit.findings import refusals_are_missing
from evaluator.comparison.comparison import Comparison, Row
from evaluator.comparison.shown_images import MOST_IMAGES, shown_images
from evaluator.core import Array, Item, Outcome
from evaluator.core.metrics import METRICS, metric_of
from evaluator.files.hand_marks import HandMark, as_marked, by_caption
from evaluator.files.images import is_file
from evaluator.report.page.named_folders import NamedFolders
from evaluator.report.redact import redacted
from evaluator.store.draws import by_draw
from evaluator.store.run import Run

NOT_TRIED = "not tried"
NO_PICTURE = "no picture at hand"
OUTCOMES = (*map(str, Outcome), NOT_TRIED)
NOT_IN_RUN = -1

# A score above zero on this metric, or a note that begins like this, is of an object that is not there.
INVENTIONS, INVENTED = "CHAIR", "invented:"

MOST_COLUMNS = 3  # more columns of scores leave no room for the captions
MOST_METRICS = 8  # to choose from, for gains and orders

Key = tuple[str, tuple[str, ...]]


@dataclass(frozen=True)
class Answers:
    """One run's answers about the images of the gallery."""

    captions: tuple[str | None, ...]
    ended: tuple[int, ...]  # indices of the outcomes, NOT_IN_RUN where the run does not have the image
    scores: Array  # (metrics, images), on the files' scale, NaN where there is none
    errors: Mapping[int, str]  # by the image's index
    notes: Mapping[str, Sequence[str]] = field(default_factory=dict)  # by metric, one for each image


@dataclass(frozen=True)
class Gallery:
    """All images of some runs. Of the pictures it holds no more than which files they are."""

    items: tuple[Item, ...]
    labels: tuple[str, ...]
    metrics: tuple[str, ...]
    higher_is_better: tuple[bool, ...]  # of each metric
    answers: tuple[Answers, ...]
    best_is_marked: bool
    names: tuple[str, ...] = ()  # of the runs in exported files
    dataset: str = ""  # the digest of what the first run captioned
    marks: tuple[tuple[int, int, HandMark], ...] = ()  # with the indices of their runs and images
    withheld: Mapping[int, Path] = field(default_factory=dict)  # pictures that are not shown, by the image
    images: int = 0  # of the runs, where these are more than the gallery shows

    @property
    def columns(self) -> tuple[str, ...]:
        """The metrics that stand beside the captions; images can be ordered by any."""
        return self.metrics[:MOST_COLUMNS]

    @property
    def tags(self) -> tuple[str, ...]:
        """Each tag once, in alphabetical order."""
        return tuple(sorted({tag for item in self.items for tag in item.tags}))

    @property
    def failures(self) -> tuple[str, ...]:
        """The outcomes without a caption that occur."""
        codes = {code for of_run in self.answers for code in of_run.ended if code != NOT_IN_RUN}
        return tuple(name for code, name in enumerate(OUTCOMES) if code in codes and name != Outcome.OK)

    @property
    def knows_inventions(self) -> bool:
        """Whether a metric looked for objects that are named and not in the picture."""
        return any(metric.startswith(INVENTIONS) for metric in self.metrics) or any(
            text.startswith(INVENTED)
            for of_run in self.answers
            for texts in of_run.notes.values()
            for text in texts
        )

    @property
    def addresses(self) -> dict[str, str]:
        """What the page's address calls the images whose id an earlier one has, by their index."""
        first: dict[str, int] = {}
        return {
            str(index): f"{item.id}~{index}"
            for index, item in enumerate(self.items)
            if first.setdefault(item.id, index) != index
        }

    @cached_property
    def with_picture(self) -> tuple[int, ...]:
        """The indices of the images whose picture is at hand."""
        return tuple(index for index, item in enumerate(self.items) if has_picture(item))

    def document(self, pictures: Sequence[int], no_picture: Sequence[str]) -> dict[str, Any]:
        """What the page's script reads.

        `pictures` are indices of the pictures that the page has, or -1; `no_picture` says for each image why
        it has none, empty for the others.
        """
        tags = self.tags
        number = {tag: index for index, tag in enumerate(tags)}
        return {
            "runs": self.labels,
            "names": self.names or self.labels,
            "dataset": self.dataset,
            "images": len(self.items),
            "metrics": self.metrics,
            "columns": len(self.columns),
            "better": [1 if higher else -1 for higher in self.higher_is_better],
            "marked": self.best_is_marked,
            "outcomes": OUTCOMES,
            "tagNames": tags,
            "ids": [item.id for item in self.items],
            "addresses": self.addresses,
            "references": [item.references for item in self.items],
            "tags": [[number[tag] for tag in item.tags] for item in self.items],
            "pictures": list(pictures),
            "noPicture": list(no_picture),
            "answers": [
                {
                    "captions": of_run.captions,
                    "ended": of_run.ended,
                    "scores": [hundredths(row) for row in of_run.scores],
                    "errors": {str(index): error for index, error in of_run.errors.items()},
                    "notes": of_run.notes,
                }
                for of_run in self.answers
            ],
            "marks": [(run, image, mark.mark, mark.note) for run, image, mark in self.marks],
        }


def gallery(
    comparison: Comparison,
    picture_folders: Sequence[Path] = (),
    marks: Sequence[HandMark] = (),
    most: int = MOST_IMAGES,
) -> Gallery:
    """The images of all runs, in their order, with the pictures below the folders that the user named.

    Of runs with more than `most` images it has those that tell most, and a sample of the others. Raises
    StoreError for a run that cannot be read.
    """
    metrics, named = shown_metrics(comparison), NamedFolders(tuple(picture_folders))
    shown = shown_images(comparison, most, {mark.image for mark in marks})
    items: dict[Key, Item] = {}
    withheld: dict[Key, Path] = {}
    for run, item in ((row.run, item) for row in comparison.rows for item in row.run.items):
        if shown is not None and item.id not in shown:
            continue
        key = (item.id, item.references)
        picture = named.picture(item, run)
        if item.image and not picture:
            withheld.setdefault(key, item.image)
        first = items.get(key) or replace(item, image=picture)
        # Pictures and tags may have been given to some of the runs later.
        image = picture if not has_picture(first) and picture else first.image
        items[key] = replace(first, image=image, tags=first.tags or item.tags)
    index_of = {key: index for index, key in enumerate(items)}
    return Gallery(
        items=tuple(items.values()),
        labels=tuple(row.label for row in comparison.rows),
        metrics=metrics,
        higher_is_better=tuple(map(comparison.higher_is_better, metrics)),
        answers=tuple(
            answers(row.run, index_of, *scores_by_image(comparison, row, metrics)) for row in comparison.rows
        ),
        best_is_marked=has_one_scale(comparison, metrics),
        names=exported_names(comparison),
        dataset=comparison.rows[0].manifest.dataset_digest,
        marks=tuple(
            (number, index_of[key], mark)
            for number, row in enumerate(comparison.rows)
            for key, mark in marks_of(row.run, marks)
            if key in index_of
        ),
        withheld={index_of[key]: image for key, image in withheld.items() if not items[key].image},
        images=0 if shown is None else len({item.id for row in comparison.rows for item in row.run.items}),
    )


def answers(run: Run, index_of: Mapping[Key, int], ids: Sequence[str], scores: Array) -> Answers:
    """One run's answers; `scores` are those of the images with these ids, (metrics, ids)."""
    items = [item for item in run.items if (item.id, item.references) in index_of]
    indices = {item.id: index_of[item.id, item.references] for item in items}
    by_image = np.full((len(scores), len(index_of)), np.nan)
    shown = [column for column, item_id in enumerate(ids) if item_id in indices]
    by_image[:, [indices[ids[column]] for column in shown]] = scores[:, shown]
    code = {name: number for number, name in enumerate(OUTCOMES)}
    captions: list[str | None] = [None] * len(index_of)
    ended = [NOT_IN_RUN] * len(index_of)
    errors: dict[int, str] = {}
    for item in items:
        index, recorded = indices[item.id], run.captions.get(item.id)
        if recorded and refusals_are_missing(run.results):
            recorded = as_failure(recorded)
        ended[index] = code[recorded.outcome if recorded else NOT_TRIED]
        captions[index] = recorded.text if recorded else None
        if recorded and recorded.outcome is not Outcome.OK and recorded.error:
            error = recorded.error.replace(str(item.image), item.image.name) if item.image else recorded.error
            errors[index] = redacted(error)  # without the folders of the machine: a page is passed on
    return Answers(
        tuple(captions), tuple(ended), by_image, errors, notes_by_image(run, indices, len(index_of))
    )


def notes_by_image(run: Run, indices: Mapping[str, int], images: int) -> dict[str, list[str]]:
    """What the metrics say of single captions in words, one text for each image."""
    by_image: dict[str, list[str]] = {}
    for metric, measurement in run.measurements.items():
        if any(measurement.notes or ()):
            of_metric = by_image[metric] = [""] * images
            for item_id, text in zip(run.scored_ids, measurement.notes or (), strict=True):
                if item_id in indices:
                    of_metric[indices[item_id]] = text
    if drawn := by_draw(run.items, run.drawn.captions):
        further = by_image["further captions"] = [""] * images
        for item_id, index in indices.items():
            texts = [each[item_id].text for each in drawn if item_id in each]
            further[index] = "; ".join(filter(None, texts))
    return by_image


def exported_names(comparison: Comparison) -> tuple[str, ...]:
    """What exported files call the runs: by their folders, which stay, where these differ."""
    names = tuple(row.run.name for row in comparison.rows)
    return names if len(set(names)) == len(names) else tuple(row.label for row in comparison.rows)


def marks_of(run: Run, marks: Sequence[HandMark]) -> Iterator[tuple[Key, HandMark]]:
    """The marks of what a run says today, with what the images are known by."""
    found = by_caption(marks)
    for item in run.items if found else ():
        caption = run.captions.get(item.id)
        if caption and caption.text is not None and (mark := found.get(as_marked(item.id, caption.text))):
            yield (item.id, item.references), mark


def scores_by_image(comparison: Comparison, row: Row, metrics: Sequence[str]) -> tuple[Sequence[str], Array]:
    """The ids of the images that a run's scores in the table are made of, and their scores, (metrics, ids).

    Where runs are compared on shared images, CIDEr is computed anew over these, and other images have none.
    """
    ids: Sequence[str] = comparison.pairs.ids
    measured = comparison.pairs.measurements[row.index]
    if not comparison.on_shared_images:
        ids, measured = row.run.scored_ids, row.run.measurements
    unscored = np.full(len(ids), np.nan)
    scores = [measured[metric].per_image if metric in measured else unscored for metric in metrics]
    return ids, np.array(scores).reshape(len(metrics), len(ids))


def hundredths(scores: Array) -> list[int | None]:
    """Hundredths of a point, None where there is no score: one digit more than the page shows.

    >>> hundredths(np.array([1.455532, np.nan]))
    [14555, None]
    """
    whole = np.rint(10_000 * scores).tolist()
    return [None if value != value else int(value) for value in whole]  # only NaN differs from itself


def shown_metrics(comparison: Comparison) -> tuple[str, ...]:
    """Those that some run has: the lead metric, the headline ones, those of one's own, then the others."""
    computed = comparison.computed
    headline = [metric.name for metric in METRICS if metric.headline and metric.name in computed]
    own = [metric for metric in computed if metric_of(metric) not in METRICS]
    wanted = filter(None, [comparison.lead_metric, *headline, *own, *computed[::-1]])
    return tuple(dict.fromkeys(wanted))[:MOST_METRICS]


def has_one_scale(comparison: Comparison, metrics: Sequence[str]) -> bool:
    """Whether the first metric gives one caption the same score in each run.

    CIDEr's document frequencies differ as soon as one run captioned fewer images.
    """
    scored = [score for metric in metrics[:1] for _, score in comparison.scored(metric)]
    return len(scored) > 1 and len({score.signature for score in scored}) == 1


def has_picture(item: Item) -> bool:
    return item.image is not None and is_file(item.image)
