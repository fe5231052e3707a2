"""A report in the browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluator.comparison.compare import compare
from evaluator.core import Caption, Item, Outcome
from evaluator.report.page.html import write_report

MakeRun = Callable[..., Path]


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A new page; the test fails if the page complains or asks for anything but itself."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    requests: list[str] = []
    opened.on("request", lambda request: requests.append(request.url))
    yield opened
    opened.close()
    assert not complaints
    assert all(url.startswith(("file:", "data:", "blob:")) for url in requests)
    assert len({url.partition("#")[0] for url in requests if url.startswith("file:")}) <= 1


@pytest.fixture
def report(make_run: MakeRun, pictures: list[Path], tmp_path: Path) -> Path:
    """Two runs on three images; the second run refuses the last one."""
    tags = [("wall",), ("grass", "wall"), ()]
    items = [
        Item(str(n), path, (f"reference {n}", "a red wall of bricks"), tags[n])
        for n, path in enumerate(pictures)
    ]
    runs = [
        make_run(
            "good",
            {"0": "a red wall", "1": "a lot of fresh green grass", "2": "a dog"},
            {"CIDEr": [1, 2, 3], "METEOR": [0.1, 0.2, 0.5]},
            items,
            images_per_second=2.0,
        ),
        make_run(
            "bad",
            {"0": "a wall", "1": "grass", "2": Caption("2", Outcome.REFUSED, error="no dogs")},
            {"CIDEr": [0.5, 0.1], "METEOR": [0.3, 0.1]},
            items,
            images_per_second=9.0,
        ),
    ]
    return write_report(compare(runs), tmp_path / "report.html")


def opened(page: Any, path: Path, fragment: str = "") -> Any:
    page.goto(path.as_uri() + fragment)
    page.locator("#list:not([aria-busy]):not(:empty)").wait_for(state="attached")
    return page


@pytest.fixture
def open_page() -> Callable[..., Any]:
    """Opens a report, and waits until its images are there."""
    return opened
