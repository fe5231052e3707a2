from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.data.coco import COCO

DOCUMENT: dict[str, Any] = {
    "info": {"description": "for tests"},
    "images": [
        {"id": 42, "file_name": "COCO_val2014_000000000042.jpg"},
        {"id": "7", "file_name": "000000000007.jpg"},
        {"id": 9, "file_name": "000000000009.jpg"},
    ],
    "annotations": [
        {"id": 1, "image_id": 7, "caption": " A cat. \n"},
        {"id": 2, "image_id": "42", "caption": "A dog\u2028on shoes."},
        {"id": 3, "image_id": 7, "caption": "The cat\nsits."},
    ],
}


def written(folder: Path, document: object) -> Path:
    path = folder / "captions.json"
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def with_pictures(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / "images" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return folder / "images"


def fails(dataset: COCO, *said: str) -> None:
    with pytest.raises(DataError) as raised:
        dataset.load()
    for words in said:
        assert words in str(raised.value)


def test_items_in_the_order_of_the_images_with_their_captions(tmp_path: Path) -> None:
    assert COCO(None, written(tmp_path, DOCUMENT)).load() == [
        Item("42", None, ("A dog\u2028on shoes.",)),
        Item("7", None, ("A cat.", "The cat\nsits.")),
        Item("9", None, ()),
    ]


def test_a_picture_is_found_by_its_name_or_its_number_or_expected(tmp_path: Path) -> None:
    folder = with_pictures(tmp_path, "000000000042.jpg", "COCO_train2014_000000000007.jpg", "notes.txt")
    assert [item.image for item in COCO(folder, written(tmp_path, DOCUMENT)).load()] == [
        folder / "000000000042.jpg",
        folder / "COCO_train2014_000000000007.jpg",
        folder / "000000000009.jpg",
    ]


def test_the_given_name_comes_before_the_number(tmp_path: Path) -> None:
    folder = with_pictures(tmp_path, "000000000042.jpg", "COCO_val2014_000000000042.jpg")
    assert (
        COCO(folder, written(tmp_path, DOCUMENT)).load()[0].image == folder / "COCO_val2014_000000000042.jpg"
    )


@pytest.mark.parametrize("place", ["val2014/a.jpg", "a.jpg"])
def test_a_name_with_a_folder(tmp_path: Path, place: str) -> None:
    folder = with_pictures(tmp_path, place)
    document = {"images": [{"id": 1, "file_name": "val2014/a.jpg"}], "annotations": []}
    assert COCO(folder, written(tmp_path, document)).load()[0].image == folder / place


def test_a_number_is_found_in_the_folder_that_the_name_gives(tmp_path: Path) -> None:
    folder = with_pictures(tmp_path, "val2014/000000000042.jpg")
    document = {
        "images": [{"id": 42, "file_name": "val2014/COCO_val2014_000000000042.jpg"}],
        "annotations": [],
    }
    assert (
        COCO(folder, written(tmp_path, document)).load()[0].image == folder / "val2014" / "000000000042.jpg"
    )


def test_without_a_file_name_the_number_is_expected(tmp_path: Path) -> None:
    folder = with_pictures(tmp_path, "000000000042.jpg")
    document = {"images": [{"id": 42}, {"id": 43}, {"id": "x"}], "annotations": []}
    assert [item.image for item in COCO(folder, written(tmp_path, document)).load()] == [
        folder / "000000000042.jpg",
        folder / "000000000043.jpg",
        folder / "x.jpg",
    ]


@pytest.mark.parametrize("name", ["/etc/passwd", "../secret.jpg", "a/../../b.jpg", "..\\secret.jpg"])
def test_no_name_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.jpg").touch()
    document = {"images": [{"id": 42, "file_name": name}, {"id": 1}], "annotations": []}
    item, _ = COCO(with_pictures(tmp_path, "000000000001.jpg"), written(tmp_path, document)).load()
    assert item.image
    assert item.image.parent == tmp_path / "images"
    assert not item.image.exists()


def test_of_two_pictures_with_the_number_the_first_by_name_is_taken(tmp_path: Path) -> None:
    folder = with_pictures(tmp_path, "COCO_val2014_000000000042.jpg", "000000000042.png")
    document = {"images": [{"id": 42, "file_name": "dog.jpg"}], "annotations": []}
    assert COCO(folder, written(tmp_path, document)).load()[0].image == folder / "000000000042.png"


def test_a_missing_or_foreign_folder_of_images(tmp_path: Path) -> None:
    path = written(tmp_path, DOCUMENT)
    fails(COCO(tmp_path / "images", path), str(tmp_path / "images"), "no such folder")
    fails(COCO(with_pictures(tmp_path, "dog.jpg"), path), "none of the 3", "COCO_val2014_000000000042.jpg")


def test_the_folder_is_listed_and_no_picture_is_asked_for_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    count = 200
    folder = with_pictures(tmp_path, *(f"val/{number:012}.jpg" for number in range(count)))
    images = [{"id": number, "file_name": f"val/{number:012}.jpg"} for number in range(count)]
    path = written(tmp_path, {"images": images, "annotations": []})
    asked: list[Path] = []
    stat = Path.stat
    monkeypatch.setattr(Path, "stat", lambda self, **options: asked.append(self) or stat(self, **options))
    assert len(COCO(folder, path).load()) == count
    assert len(asked) < 10


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ([{"image_id": 1, "prediction": "a"}], ["a file of captions, without references", "'prediction'"]),
        ([{"caption": "a"}], ["no field holds the image's id", "'caption'"]),
        (3, ["expected a list", "found 3"]),
        ({"images": []}, ["lists no images"]),
        ({"images": [], "annotations": []}, ["lists no images"]),
        ({"images": {"a": 1}, "annotations": []}, ["expected a list under 'images'", "an object with 'a'"]),
        ({"images": [1], "annotations": []}, ["images[0]", "found 1"]),
        ({"images": [{"file_name": "a"}], "annotations": []}, ["images[0]", "'id' is missing"]),
        ({"images": [{"id": None}], "annotations": []}, ["images[0].id", "null"]),
        ({"images": [{"id": 1, "file_name": 5}], "annotations": []}, ["images[0].file_name", "found 5"]),
        (
            {"images": [{"id": 1}, {"id": 2}, {"id": "1"}], "annotations": []},
            ["images[2]", "image 1", "images[0]"],
        ),
        (DOCUMENT | {"annotations": None}, ["expected a list under 'annotations'", "null"]),
        (DOCUMENT | {"annotations": [{"image_id": 8, "caption": "a"}]}, ["annotations[0]", "image 8"]),
        (DOCUMENT | {"annotations": [{"caption": "a"}]}, ["annotations[0]", "'image_id' is missing"]),
        (
            DOCUMENT | {"annotations": [{"image_id": 7, "bbox": []}]},
            ["annotations[0]", "'caption' is missing", "'bbox'"],
        ),
        (DOCUMENT | {"annotations": [{"image_id": 7, "caption": 3}]}, ["annotations[0].caption", "found 3"]),
    ],
)
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, document: object, said: list[str]) -> None:
    path = written(tmp_path, document)
    fails(COCO(None, path), str(path), *said)


def test_the_official_validation_captions(real_data: Path) -> None:
    coco = real_data / "coco"
    items = COCO(coco / "images", coco / "captions_val2017.json").load()
    assert len(items) == 5_000
    assert sum(len(item.references) for item in items) == 25_014
    assert items[0].id == "397133"
    assert sum(item.image is not None and item.image.is_file() for item in items) >= 28


def test_object_annotations_are_not_captions(real_data: Path) -> None:
    fails(COCO(None, real_data / "coco" / "instances_val2017_subset.json"), "'caption' is missing")
