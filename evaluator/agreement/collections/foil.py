"""FOIL (Shekhar et al. 2017, https://aclanthology.org/P17-1024): captions with one wrong word.

Each foil is a caption of a COCO image in which one object was replaced. The caption it was made from is the
better one. Its references are the image's other captions. Files: foilv1.0_test_2017.json and COCO's
captions_val2014.json.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

from typing_extensions import TypedDict

from evaluator.agreement.collections.files import in_folder
from evaluator.agreement.judgements import Collection, Judged
from evaluator.files.json_input import checked, read_json


class FoilEntry(TypedDict):
    id: int
    image_id: int
    caption: str
    foil: bool


class FoilFile(TypedDict):
    annotations: list[FoilEntry]


class CaptionEntry(TypedDict):
    image_id: int
    caption: str


class CaptionsFile(TypedDict):
    annotations: list[CaptionEntry]


def foil(path: Path) -> Collection:
    """From the folder with both files, or a folder above it."""
    file, captions = in_folder(path, "foilv1.0_test_2017.json"), in_folder(path, "captions_val2014.json")
    entries = checked(read_json(file), FoilFile, file)["annotations"]
    references: dict[int, list[str]] = defaultdict(list)
    for entry in checked(read_json(captions), CaptionsFile, captions)["annotations"]:
        references[entry["image_id"]].append(entry["caption"].strip())
    originals = {entry["id"]: entry["caption"].strip() for entry in entries if not entry["foil"]}
    return Collection(
        name="foil",
        judged=tuple(
            Judged(
                str(entry["image_id"]),
                entry["caption"].strip(),
                tuple(text for text in references[entry["image_id"]] if text != originals.get(entry["id"])),
                ratings=(0.0 if entry["foil"] else 1.0,),
                pair=str(entry["id"]),
            )
            for entry in entries
        ),
        statistics=("pairwise_accuracy",),
        protocol="the original is better than its foil; the image's other captions are the references",
        recipe="refs:others",
    )
