"""Flickr8k-Expert and Flickr8k-CF (Hodosh, Young and Hockenmaier 2013, JAIR 47, https://doi.org/10.1613/jair.3994).

Both let people judge captions that belong to this or another image. They come as the authors' text files,
or as one JSON file per collection, the form of the CLIPScore repository:

    {"1056338697_4f7d7ce270": {"image_path": "...", "ground_truth": [...],
                               "human_judgement": [{"caption": "...", "rating": 1.0}, ...]}}

Expert: three experts rate each pair from 1 to 4. As Anderson et al. 2016 (SPICE, section 4.2) did it, pairs
whose caption is one of the image's own are left out; 5,664 stay. Each rating is an observation.

CF: at least three people say whether the caption describes the image; the rating is the share of yes. All
47,830 pairs count. An image's own captions that were judged with it do not serve as its references, for any
caption of this image: with this rule the published correlations are reproduced to the printed digit.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from typing_extensions import TypedDict

from evaluator.agreement.judgements import Collection, Judged
from evaluator.agreement.published import published
from evaluator.core.errors import DataError
from evaluator.files.json_input import checked, read_json, read_text

CAPTIONS = "Flickr8k.token.txt"


class JudgedEntry(TypedDict):
    caption: str
    rating: float


class ImageEntry(TypedDict):
    image_path: str
    ground_truth: list[str]
    human_judgement: list[JudgedEntry]


class Pair(NamedTuple):
    """One line of an annotation file."""

    image: str
    caption_id: str
    fields: tuple[float, ...]


def expert(path: Path) -> Collection:
    """From a folder with ExpertAnnotations.txt and Flickr8k.token.txt, or from flickr8k.json."""
    if file := json_file(path, "flickr8k.json"):
        judged = tuple(one for one in from_json(file) if not is_own(one))
    else:
        captions, references = own_captions(path)
        judged = tuple(
            Judged(pair.image, captions[pair.caption_id], references[pair.image], pair.fields)
            for pair in pairs(path, "ExpertAnnotations.txt", 3, captions)
            if image_of(pair.caption_id) != pair.image
        )
    return Collection(
        name="flickr8k-expert",
        judged=judged,
        statistics=("kendall_tau_c", "kendall_tau_b", "spearman"),
        protocol="pairs with one of the image's own captions are left out; each rating is an observation",
        recipe="own:left-out|ratings:each",
        published=published("flickr8k-expert"),
    )


def crowdflower(path: Path) -> Collection:
    """From a folder with CrowdFlowerAnnotations.txt and Flickr8k.token.txt, or crowdflower_flickr8k.json."""
    if file := json_file(path, "crowdflower_flickr8k.json"):
        judged = tuple(from_json(file))
    else:
        captions, references = own_captions(path)
        given = list(pairs(path, "CrowdFlowerAnnotations.txt", 3, captions))
        own: dict[str, set[str]] = defaultdict(set)
        for pair in given:
            if image_of(pair.caption_id) == pair.image:
                own[pair.image].add(captions[pair.caption_id])
        others = {
            image: tuple(text for text in references[image] if text not in own[image])
            for image in {pair.image for pair in given}
        }
        judged = tuple(
            Judged(
                pair.image,
                captions[pair.caption_id],
                others[pair.image],
                ratings=(pair.fields[0],),
                votes=(1.0,) * int(pair.fields[1]) + (0.0,) * int(pair.fields[2]),
            )
            for pair in given
        )
    return Collection(
        name="flickr8k-cf",
        judged=judged,
        statistics=("kendall_tau_b", "kendall_tau_c", "spearman"),
        protocol="the rating is the share of yes; an image's own captions that were judged with it are not "
        "among its references",
        recipe="own:not-references|ratings:share",
        published=published("flickr8k-cf"),
    )


def image_of(caption_id: str) -> str:
    """`a.jpg` of `a.jpg#2`."""
    return caption_id.rpartition("#")[0]


def own_captions(folder: Path) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """The captions by their id, and those of each image."""
    path = folder / CAPTIONS
    by_id: dict[str, str] = {}
    by_image: dict[str, list[str]] = defaultdict(list)
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        caption_id, tab, text = line.partition("\t")
        if not tab or "#" not in caption_id:
            raise DataError(f"{path}: line {number}: expected IMAGE#NUMBER, a tab and a caption")
        by_id[caption_id] = text
        by_image[image_of(caption_id)].append(text)
    return by_id, {image: tuple(texts) for image, texts in by_image.items()}


def pairs(folder: Path, name: str, fields: int, captions: dict[str, str]) -> Iterator[Pair]:
    """The lines of an annotation file: an image, a caption's id and this many numbers."""
    path = folder / name
    for number, line in enumerate(read_text(path).splitlines(), 1):
        if not line.strip():
            continue
        parts = line.split("\t")
        try:
            image, caption_id, *values = parts
            numbers = tuple(map(float, values))
        except ValueError:
            numbers = ()
        if len(numbers) != fields:
            raise DataError(
                f"{path}: line {number}: expected an image, a caption's id and {fields} numbers, with tabs"
            )
        if caption_id not in captions:
            raise DataError(f"{path}: line {number}: {caption_id!r} is not in {folder / CAPTIONS}")
        yield Pair(image, caption_id, numbers)


def json_file(path: Path, name: str) -> Path | None:
    """The JSON form of a collection: this file, or the one in this folder; None for the text files."""
    if path.is_file():
        return path
    return path / name if (path / name).is_file() else None


def from_json(path: Path) -> Iterator[Judged]:
    """The captions of a JSON file, those without a rating left out."""
    images = checked(read_json(path), dict[str, ImageEntry], path)
    for image, entry in images.items():
        references = tuple(" ".join(text.split()) for text in entry["ground_truth"])
        for judgement in entry["human_judgement"]:
            if not math.isnan(judgement["rating"]):
                caption = " ".join(judgement["caption"].split())
                yield Judged(image, caption, references, (judgement["rating"],))


def is_own(one: Judged) -> bool:
    return one.caption in one.references
