"""Which images have their picture, within the page or beside it."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from evaluator.comparison.compare import compare
from evaluator.core import Item
from evaluator.core.errors import StoreError
from evaluator.report.page.gallery import Answers, Gallery, gallery
from evaluator.report.page.pictures import (
    CANNOT_BE_READ,
    LEFT_OUT,
    choose,
    pictures_beside,
    pictures_within,
    spread_evenly,
)

MakeRun = Callable[..., Path]


@given(st.integers(0, 300), st.integers(0, 300))
def test_places_are_spread_evenly(places: int, count: int) -> None:
    chosen = spread_evenly(range(places), count)
    assert len(chosen) == min(places, count)
    assert chosen == sorted(set(chosen))
    gaps = (
        {after - before for before, after in zip(chosen, [*chosen[1:], places], strict=True)}
        if chosen
        else {0}
    )
    assert max(gaps) - min(gaps) <= 1


def made_gallery(images: list[Path | None], *scores: list[float]) -> Gallery:
    items = tuple(Item(str(number), image) for number, image in enumerate(images))
    answers = tuple(
        Answers(("x",) * len(items), (0,) * len(items), np.array([of_run]), {}) for of_run in scores
    )
    labels = tuple(str(number) for number in range(len(scores)))
    return Gallery(items, labels, ("CIDEr",), (True,), answers, best_is_marked=True)


def test_images_on_which_the_runs_differ_come_first(pictures: list[Path], tmp_path: Path) -> None:
    gone = tmp_path / "gone.jpg"
    images = [gone, *[pictures[0]] * 9, None]
    level = [0.5] * 11
    other = [0.5] * 11
    other[0] = 9.0  # the greatest difference, but there is no picture
    other[6], other[8] = 0.1, 1.1
    assert choose(made_gallery(images, level, other), 4) == [1, 4, 6, 8]
    assert choose(made_gallery(images, level, other), 20) == list(range(1, 10))
    # Of a single run, where it is worst; what has no score comes last.
    low = [0.0, *[0.5] * 6, 0.2, 0.5, float("nan"), 0.0]
    assert 7 in choose(made_gallery(images, low), 2)
    assert 9 not in choose(made_gallery(images, low), 2)


def test_a_picture_for_each_that_can_be_read(pictures: list[Path], tmp_path: Path) -> None:
    torn = tmp_path / "torn.png"
    torn.write_bytes(pictures[0].read_bytes()[:200])
    shown = made_gallery([pictures[0], torn, None, pictures[1]], [0.1, 0.5, 0.5, 0.9])
    found = pictures_within(shown, 10)
    assert list(found.shown) == [0, 3]
    for text in found.shown.values():
        with Image.open(io.BytesIO(base64.b64decode(text, validate=True))) as picture:
            assert picture.format == "JPEG"
            assert picture.width <= 640
    assert found.numbered(4) == ([0, -1, -1, 1], ["", CANNOT_BE_READ, "no picture at hand", ""])
    fewer = pictures_within(shown, 2)
    assert fewer.reasons[3] == LEFT_OUT


def test_a_folder_of_pictures_is_made_once(pictures: list[Path], tmp_path: Path) -> None:
    shown = made_gallery([*pictures, pictures[0]], [0.5] * 4)
    folder = tmp_path / "report_pictures"
    found = pictures_beside(shown, folder)
    assert found.folder == "report_pictures"
    names = list(found.shown.values())
    assert names[0] == names[3]
    assert sorted(os.listdir(folder)) == sorted(set(names))
    before = {name: (folder / name).stat().st_mtime_ns for name in names}
    assert pictures_beside(shown, folder).shown == found.shown
    assert {name: (folder / name).stat().st_mtime_ns for name in names} == before
    Image.new("RGB", (5, 5), "white").save(pictures[1])  # another picture under the same name
    assert pictures_beside(shown, folder).shown[1] != found.shown[1]


def test_a_folder_that_cannot_be_written(make_run: MakeRun, pictures: list[Path], tmp_path: Path) -> None:
    run = make_run("run", {"1": "a"}, {"CIDEr": [0.5]}, items=[Item("1", pictures[0], ())])
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="leave out --pictures-beside"):
        pictures_beside(gallery(compare([run])), tmp_path / "file" / "report_pictures")
