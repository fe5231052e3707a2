"""What the page holds of the images: all of them, packed, and before these what a reader sees at first.

The first view is the first images and those of the spotlight. The script draws it before it unpacks all, and
reads both in the same form. But in the first view a column is an object by the index of the image.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from heapq import nsmallest
from typing import Any

from markupsafe import Markup

from evaluator.files.json_bytes import encode_json
from evaluator.report.page.embedding import json_to_show, packed, within_script
from evaluator.report.page.gallery import Gallery
from evaluator.report.page.pictures import Pictures, interest

FIRST_IMAGES = 20  # no view of the script draws fewer at a time, and only the grid draws more
MOST_SPOTS = 10


def embedded_images(gallery: Gallery, pictures: Pictures) -> dict[str, Markup]:
    """The contents of the page's elements: {first, first_pictures, all, other_pictures}."""
    spots = spotlight(gallery, pictures.shown)
    first = list(dict.fromkeys([*range(len(gallery.items))[:FIRST_IMAGES], *spots["images"]]))
    seen = [image for image in first if image in pictures.shown]
    pictures = replace(pictures, shown={image: pictures.shown[image] for image in [*seen, *pictures.shown]})
    document = gallery.document(*pictures.numbered(len(gallery.items))) | {"spotlight": spots}
    shown = list(pictures.shown.values())
    return {
        "first": within_script(json_to_show(first_view(document, first))),
        "first_pictures": within_script(
            encode_json({"folder": pictures.folder, "shown": shown[: len(seen)]})
        ),
        "all": packed(json_to_show(document)),
        "other_pictures": within_script(encode_json(shown[len(seen) :])),
    }


def spotlight(gallery: Gallery, pictured: Collection[int]) -> dict[str, list[int]]:
    """The first two runs with captions, and the images on which they differ most, these images in order.

    Of a single run, those with the lowest scores. `pictured` are the images whose picture the page has;
    where it has any, others are left out.
    """
    runs = [run for run, answers in enumerate(gallery.answers) if any(map(is_text, answers.captions))][:2]
    answers = tuple(gallery.answers[run] for run in runs)
    sizes = interest(replace(gallery, answers=answers)) if runs else []
    candidates = [
        image
        for image, size in enumerate(sizes)
        if math.isfinite(size) and (image in pictured or not pictured)
        if all(is_text(of_run.captions[image]) for of_run in answers)
    ]
    return {"runs": runs, "images": nsmallest(MOST_SPOTS, candidates, key=lambda image: -sizes[image])}


def is_text(caption: str | None) -> bool:
    return caption is not None


def first_view(document: Mapping[str, Any], images: Sequence[int]) -> dict[str, Any]:
    """The part of a gallery's document that is about these images."""

    def some(column: Sequence[Any]) -> dict[str, Any]:
        return {str(image): column[image] for image in images}

    return {
        **document,
        **{name: some(document[name]) for name in ("ids", "references", "tags", "pictures", "noPicture")},
        "answers": [
            {
                "captions": some(answers["captions"]),
                "ended": some(answers["ended"]),
                "scores": [some(scores) for scores in answers["scores"]],
                "errors": {
                    index: error for index, error in answers["errors"].items() if int(index) in images
                },
                "notes": {metric: some(notes) for metric, notes in answers["notes"].items()},
            }
            for answers in document["answers"]
        ],
        "marks": [mark for mark in document["marks"] if mark[1] in images],
    }
