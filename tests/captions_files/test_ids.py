"""Ids of a file find the images of a data set however they are spelled, and only where that is unique."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.captions_files.ids import NamedImage, match_ids

COCO = [NamedImage("101", "COCO_val2014_000000000101.jpg"), NamedImage("7", "COCO_val2014_000000000007.jpg")]
FLICKR = [NamedImage("0", "1000092795.jpg"), NamedImage("1", "10002456.jpg")]


@pytest.mark.parametrize(
    ("ids", "images", "spelling"),
    [
        (["101", "7"], COCO, ""),
        (["101.0", "7.0"], COCO, "number"),
        (["000101", "07"], COCO, "number"),
        (["COCO_val2014_000000000101.jpg", "COCO_val2014_000000000007.jpg"], COCO, "file name"),
        (["coco_val2014_000000000101.JPG", "COCO_VAL2014_000000000007.jpg"], COCO, "file name"),
        (
            ["x/COCO_val2014_000000000101.jpg", r"y\COCO_val2014_000000000007.jpg"],
            COCO,
            "file name without folders",
        ),
        (
            ["COCO_val2014_000000000101", "COCO_val2014_000000000007.png"],
            COCO,
            "file name without its ending",
        ),
        (["coco_101", "coco_7"], COCO, "digits"),
        (["file://1000092795.jpg", "./10002456.jpg"], FLICKR, "file name"),
        (
            ["https://a.org/1000092795.jpg?x=1", "https://a.org/10002456.jpg"],
            FLICKR,
            "file name without folders",
        ),
        (["1000092795", "10002456"], FLICKR, "file name without its ending"),
    ],
)
def test_spellings(ids: list[str], images: list[NamedImage], spelling: str) -> None:
    match = match_ids(ids, images)
    assert match.spelling == spelling
    assert match.of_item == {image.id: item_id for image, item_id in zip(images, ids, strict=True)}


def test_what_is_not_unique_is_not_matched() -> None:
    images = [NamedImage("train/5.jpg"), NamedImage("val/5.jpg"), NamedImage("val/6.jpg")]
    assert match_ids(["5.jpg", "6.jpg"], images).of_item == {"val/6.jpg": "6.jpg"}
    assert match_ids(["a/6.jpg", "b/6.jpg"], images).of_item == {}


def test_digits_beside_different_words_are_different_images() -> None:
    assert (
        match_ids(["val_1.jpg", "val_2.jpg"], [NamedImage("test_1.jpg"), NamedImage("test_2.jpg")]).of_item
        == {}
    )


def test_most_equal_ids_leave_the_others_unknown() -> None:
    assert match_ids(["101", "7", "000008"], [*COCO, NamedImage("8")]).of_item == {"101": "101", "7": "7"}


NUMBERS = st.lists(st.integers(1, 999_999), min_size=1, unique=True)


@given(
    numbers=NUMBERS,
    spelled=st.sampled_from(["{}", "{:012}", "{}.0", "COCO_val2014_{:012}.jpg", "a/{:06}.png"]),
)
def test_any_spelling_finds_each_image(numbers: list[int], spelled: str) -> None:
    ids = [spelled.format(number) for number in numbers]
    images = [NamedImage(str(number), f"{number:012}.jpg") for number in numbers]
    assert match_ids(ids, images).of_item == dict(zip(map(str, numbers), ids, strict=True))
