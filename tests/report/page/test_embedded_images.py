"""What the page shows before all images are unpacked: a part of the same document, and the spotlight."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.comparison.compare import compare
from evaluator.core import Caption, Item, Outcome
from evaluator.files.hand_marks import HandMark
from evaluator.report.page.embedded_images import FIRST_IMAGES, MOST_SPOTS, first_view, spotlight
from evaluator.report.page.gallery import Gallery, gallery
from evaluator.report.page.html import write_report

MakeRun = Callable[..., Path]


def of_runs(make_run: MakeRun, *scores: list[float | None], metric: str = "CIDEr", **options: Any) -> Gallery:
    """Runs on the same images; an image without a score has no caption."""
    paths = []
    for number, of_run in enumerate(scores):
        captions = {
            str(image): Caption(str(image), Outcome.REFUSED, error="no") if score is None else f"text {image}"
            for image, score in enumerate(of_run)
        }
        told = [score for score in of_run if score is not None]
        paths.append(make_run(f"run-{number}", captions, {metric: told} if told else {}, **options))
    return gallery(compare(paths))


@pytest.mark.parametrize(
    ("scores", "pictured", "runs", "images"),
    [
        ([[0.9, 0.5, 0.5], [0.8, 0.1, 0.9]], (), [0, 1], [1, 2, 0]),  # ties stay in the order of the data set
        ([[0.9, 0.5, 0.5], [0.8, 0.1, 0.9]], (0, 2), [0, 1], [2, 0]),
        ([[0.9, 0.5, None], [None, 0.1, 0.9]], (), [0, 1], [1]),  # what both captioned
        ([[0.9, 0.5, 0.7]], (), [0], [1, 2, 0]),  # the worst of a single run
        ([[0.9, 0.5, 0.7], [None, None, None]], (), [0], [1, 2, 0]),
        ([[None, None]], (), [], []),
    ],
)
def test_the_spotlight_is_on_what_tells_the_first_two_runs_apart(
    make_run: MakeRun,
    scores: list[list[float | None]],
    pictured: tuple[int, ...],
    runs: list[int],
    images: list[int],
) -> None:
    assert spotlight(of_runs(make_run, *scores), pictured) == {"runs": runs, "images": images}


def test_where_lower_is_better_the_highest_score_of_a_single_run_is_the_worst(make_run: MakeRun) -> None:
    shown = of_runs(make_run, [0.1, 0.3, 0.2], metric="CHAIR-s", higher_is_better=False)
    assert spotlight(shown, ())["images"] == [1, 2, 0]


def test_the_first_view_says_of_its_images_what_the_whole_says(
    make_run: MakeRun, read_gallery: Callable[[Path], dict[str, Any]], tmp_path: Path, pictures: list[Path]
) -> None:
    """Column by column, with pictures, errors and marks; the pictures of the first view come first."""
    items = [
        Item(str(n), pictures[n % 3] if n > 25 else None, (f"reference {n}",), ("even",)) for n in range(59)
    ]
    captions: dict[str, Any] = {item.id: f"caption {item.id}" for item in items}
    captions |= {str(n): Caption(str(n), Outcome.ERROR, error=f"error {n}") for n in (7, 40)}
    told = [n / 100 for n in range(59) if n not in (7, 40)]
    other = make_run(
        "other", {"0": "x"}, {"CIDEr": [0.1]}, items=[Item("0", pictures[0], ("not the same image",))]
    )
    run = make_run("run", captions, {"CIDEr": told}, items)
    marks = [HandMark("run", "3", "good", "", "caption 3"), HandMark("run", "41", "bad", "", "caption 41")]
    document = read_gallery(write_report(compare([run, other]), tmp_path / "report.html", 30, marks=marks))
    first, shown = document.pop("first"), document.pop("shown")["shown"]
    assert document["addresses"] == {"1": "0~1"}  # the image of `other` is the first
    images = [*map(int, first["ids"])]
    assert images[:FIRST_IMAGES] == list(range(FIRST_IMAGES))
    assert set(images) == {*range(FIRST_IMAGES), *document["spotlight"]["images"]}
    assert len(document["spotlight"]["images"]) <= MOST_SPOTS
    assert first == first_view(document, images)
    assert first["answers"][1]["errors"] == {"8": "error 7"}
    assert [mark[1] for mark in first["marks"]] == [4]
    assert [mark[1] for mark in document["marks"]] == [4, 42]
    led = [number for number in first["pictures"].values() if number >= 0]
    assert sorted(led) == list(range(len(led)))
    assert len(shown) == max(document["pictures"]) + 1
