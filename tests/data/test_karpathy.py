from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.data.karpathy import Karpathy


def image(number: int, split: str, *captions: str, **others: object) -> dict[str, Any]:
    return {
        "cocoid": number,
        "imgid": number + 1_000,
        "filepath": "val2014",
        "filename": f"COCO_val2014_{number:012}.jpg",
        "split": split,
        "sentences": [{"raw": caption, "tokens": caption.split()} for caption in captions],
    } | others


DOCUMENT = {
    "dataset": "coco",
    "images": [
        image(1, "test", "A dog. ", "The dog sits."),
        image(2, "restval", "A cat."),
        image(3, "train", "A tree."),
        image(4, "test"),
    ],
}


def written(folder: Path, document: object) -> Path:
    path = folder / "dataset_coco.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def test_the_items_of_one_split(tmp_path: Path) -> None:
    path = written(tmp_path, DOCUMENT)
    assert Karpathy(None, path).load() == [Item("1", None, ("A dog.", "The dog sits.")), Item("4", None, ())]
    assert Karpathy(None, path, "restval").load() == [Item("2", None, ("A cat.",))]


@pytest.mark.parametrize("place", ["val2014/COCO_val2014_000000000001.jpg", "COCO_val2014_000000000001.jpg"])
def test_the_folder_of_images_is_above_val2014_or_val2014_itself(tmp_path: Path, place: str) -> None:
    picture = tmp_path / "images" / place
    picture.parent.mkdir(parents=True)
    picture.touch()
    items = Karpathy(tmp_path / "images", written(tmp_path, DOCUMENT)).load()
    assert [item.image for item in items] == [
        picture,
        tmp_path / "images" / "val2014" / "COCO_val2014_000000000004.jpg",
    ]


def test_flickr_has_no_coco_id(tmp_path: Path) -> None:
    entry = {"imgid": 0, "filename": "100.jpg", "split": "test", "sentences": [{"raw": "Two men."}]}
    (tmp_path / "100.jpg").touch()
    [item] = Karpathy(tmp_path, written(tmp_path, {"images": [entry]})).load()
    assert item == Item("0", tmp_path / "100.jpg", ("Two men.",))


def test_a_split_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no split 'val'.*test \(2\), restval \(1\), train \(1\)"):
        Karpathy(None, written(tmp_path, DOCUMENT), "val").load()


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([], ["lists no images"]),
        ({"images": []}, ["lists no images"]),
        ({"images": [{"cocoid": 1}]}, ["images[0]", "'split' is missing"]),
        (
            {"images": [image(1, "test"), image(2, "test"), image(1, "test")]},
            ["images[2]", "image 1", "images[0]"],
        ),
        ({"images": [image(1, "test", sentences=None)]}, ["images[0]", "'sentences'", "null"]),
        ({"images": [image(1, "test", sentences=[{"tokens": []}])]}, ["images[0].sentences[0]", "'raw'"]),
        ({"images": [{"split": "test", "sentences": []}]}, ["images[0]", "'cocoid' is missing"]),
        ({"images": [image(1, "test", cocoid=1.5)]}, ["images[0].cocoid", "1.5"]),
        ({"images": [image(1, "test", filename=1)]}, ["images[0].filename", "found 1"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, document: object, said: list[str]) -> None:
    path = written(tmp_path, document)
    with pytest.raises(DataError) as raised:
        Karpathy(None, path).load()
    for words in (str(path), *said):
        assert words in str(raised.value)


def test_a_file_in_cocos_format_is_one_split_already(tmp_path: Path) -> None:
    document = {"images": [{"id": 1}], "annotations": [{"image_id": 1, "caption": "A dog."}]}
    assert Karpathy(None, written(tmp_path, document), "whatever").load() == [Item("1", None, ("A dog.",))]


def test_the_test_split_with_its_photographs(real_data: Path) -> None:
    coco = real_data / "coco"
    items = Karpathy(coco / "images", coco / "captions_karpathy_test.json").load()
    assert len(items) == 5_000
    assert sum(len(item.references) for item in items) == 25_010
    found = [item for item in items if item.image is not None and item.image.is_file()]
    assert len(found) == 32
    assert all(item.image is not None and item.image.name == f"{int(item.id):012}.jpg" for item in found)
