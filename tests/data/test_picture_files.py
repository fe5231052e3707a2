"""Pictures whose names are spelled in another way than the annotations spell them."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.data.coco import COCO
from evaluator.data.picture_files import AnnotatedImage, files_within, with_pictures

OWN = ("kitchen cat.jpg", "beach kite.jpg", "corner bike.jpg")


def folder_of(place: Path, *names: str) -> Path:
    for name in names:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(b"a picture")
    return place


def found(folder: Path, *names: str | None) -> list[str | None]:
    """The file that each name gets, as a path from the folder; None where it gets none."""
    items = with_pictures(
        [AnnotatedImage(f"i{number}", name, ()) for number, name in enumerate(names)], folder, Path("a.json")
    )
    return [
        item.image.relative_to(folder).as_posix() if item.image and os.path.isfile(item.image) else None
        for item in items
    ]


@pytest.mark.parametrize("name", ["a cat.png", "beach/kite.jpeg", "17.webp", "wörk.JPG"])
def test_an_id_that_is_a_file_s_name(tmp_path: Path, name: str) -> None:
    """References by file name have no other name of the picture: no .jpg comes behind its own ending."""
    folder_of(tmp_path, name)
    (item,) = with_pictures([AnnotatedImage(name, None, ())], tmp_path, Path("a.json"))
    assert item.image == tmp_path / name


@pytest.mark.parametrize(
    ("name", "file", "way"),
    [
        ("Kitchen Cat.JPG", "kitchen cat.jpg", "in other case"),
        ("cafe\u0301.jpg", "caf\u00e9.jpg", "in other case"),
        ("cat.jpeg", "cat.jpg", "with another ending"),
        ("cat.JPG", "cat.webp", "with another ending"),
        ("cat", "cat.heic", "with another ending"),
        ("cat.jpg", "cat", "with another ending"),
        ("cat 2.0", "cat 2.0.png", "with another ending"),
        ("cat.jpg", "train/a/cat.jpg", "by the last part of their path"),
        ("set1/cat.jpg", "photos/set1/cat.jpg", "by the last part of their path"),
        ("/home/me/cat.jpg", "cat.jpg", "by the last part of their path"),
        ("../own/cat.jpg", "cat.jpg", "by the last part of their path"),
        ("C:\\Users\\me\\cat.jpg", "cat.jpg", "by the last part of their path"),
        ("val\\cat.jpg", "val/cat.jpg", "by the last part of their path"),
        ("https://example.org/val/a%20cat.jpg?size=large#top", "a cat.jpg", "by the last part of their path"),
        ("file:///home/me/Cat.JPEG", "x/cat.jpg", "with another ending"),
    ],
)
def test_a_name_in_another_spelling(
    tmp_path: Path, name: str, file: str, way: str, caplog: pytest.LogCaptureFixture
) -> None:
    folder = folder_of(tmp_path / "own", file, "other.jpg", "cat.txt")
    with caplog.at_level(logging.INFO):
        assert found(folder, name, "other.jpg") == [file, "other.jpg"]
    (line,) = caplog.messages
    assert f"1 of the pictures found {way}" in line
    assert line.endswith(f" is {file}")


@pytest.mark.parametrize("name", ["cat.jpg", "./cat.jpg", "val/cat.jpg", "cat.jpg/"])
def test_the_usual_spellings_need_no_line(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert found(folder_of(tmp_path, "cat.jpg"), name) == ["cat.jpg"]
    assert caplog.messages == []


def test_the_folders_of_the_name_decide_between_files_of_one_name(tmp_path: Path) -> None:
    folder = folder_of(tmp_path, "x/train/1.jpg", "x/val/1.jpg")
    assert found(folder, "C:\\data\\val\\1.jpg", "C:\\data\\Train\\1.JPG") == ["x/val/1.jpg", "x/train/1.jpg"]


@pytest.mark.parametrize(
    ("files", "names", "expected"),
    [
        (["a/1.jpg", "b/1.jpg"], ["1.jpg"], [None]),  # which of them?
        (["1.jpg"], ["1.jpg", "x/1.png"], ["1.jpg", None]),  # the file has its image already
        (["1.webp"], ["1.jpg", "1.png"], [None, None]),  # two images claim one file
        (["1.jpg", "1.heic"], ["1.jpeg"], ["1.jpg"]),  # the smaller difference
        (["1.jpg", "1.heic"], ["1.tif"], [None]),
        (["A.jpg", "a.jpg"], ["a.JPG"], [None]),
    ],
)
def test_no_picture_is_guessed(
    tmp_path: Path, files: list[str], names: list[str], expected: list[str | None]
) -> None:
    assert found(folder_of(tmp_path, *files, "there.jpg"), *names, "there.jpg") == [*expected, "there.jpg"]


def test_what_fits_no_single_picture_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    found(folder_of(tmp_path, "a/1.jpg", "b/1.jpg", "2.jpg"), "1.jpg", "2.jpg")
    assert (
        "1 of the names fit no single picture and get none: 1.jpg could be a/1.jpg or b/1.jpg" in caplog.text
    )


def test_none_at_all_shows_both_sides(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "own", "cat.jpg")
    with pytest.raises(DataError, match=r"for example dog\.jpg. It holds 1 files, for example cat\.jpg"):
        found(folder, "dog.jpg")
    (tmp_path / "none").mkdir()
    with pytest.raises(DataError, match="It is empty"):
        found(tmp_path / "none", "dog.jpg")


@given(name=st.text(min_size=1, max_size=300))
def test_no_name_is_too_odd(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    folder = folder_of(tmp_path_factory.getbasetemp() / "odd names", "cat.jpg")
    (odd, _) = with_pictures(
        [AnnotatedImage("odd", name, ()), AnnotatedImage("cat", "cat.jpg", ())], folder, Path("a.json")
    )
    assert isinstance(odd, Item)
    assert odd.image
    assert ".." not in odd.image.parts
    assert odd.image.is_relative_to(folder)


@pytest.mark.parametrize("name", ["x" * 300 + "/a.jpg", "nul\0/a.jpg", "\ud800/a.jpg"])
def test_a_folder_that_cannot_be_listed_costs_its_own_image_alone(tmp_path: Path, name: str) -> None:
    assert found(folder_of(tmp_path, "cat.jpg"), name, "cat.jpg") == [None, "cat.jpg"]


def test_files_of_a_folder(tmp_path: Path) -> None:
    folder_of(tmp_path, "b/2.jpg", "a.jpg", "b/c/3.jpg", ".hidden/4.jpg", ".DS_Store", "b/._2.jpg")
    (tmp_path / "b" / "circle").symlink_to(tmp_path)
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    assert sorted(files_within(tmp_path)) == ["a.jpg", "b/2.jpg", "b/c/3.jpg", "broken"]
    with pytest.raises(DataError, match="no such folder"):
        list(files_within(tmp_path / "nowhere"))


@pytest.mark.parametrize("case", ["plain", "case", "jpeg", "noext", "dot", "sub", "up"])
def test_one_s_own_pictures(real_data: Path, tmp_path: Path, case: str) -> None:
    place = {"sub": "own/set1", "up": "own"}.get(case, "own")
    folder_of(tmp_path / place, *OWN)
    items = COCO(tmp_path / "own", real_data / "cases" / "P32" / f"own_{case}.json").load()
    assert [item.image for item in items] == [tmp_path / place / name for name in OWN]


@pytest.mark.parametrize("case", ["drive", "nothing", "png"])
def test_six_pictures_of_coco(real_data: Path, tmp_path: Path, case: str) -> None:
    files = [f"{number:012}.jpg" for number in range(101, 107)]
    items = COCO(folder_of(tmp_path, *files), real_data / "cases" / "P32" / f"{case}.json").load()
    assert [item.image for item in items] == [tmp_path / name for name in files]
