"""The page in a real browser: Debian's chromium, driven by Playwright. Skips where there is no chromium."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evaluator.compare import compare
from evaluator.config import run_configs
from evaluator.core import Caption, Item, Outcome
from evaluator.evaluate import evaluate
from evaluator.report.html import write_report

playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

MakeRun = Callable[..., Path]
HOSTILE = "<script>document.title = 'taken over'</script><img src=https://example.com/x.png> \u202edog"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("there is no chromium here: apt-get install chromium")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A new page; the test fails if the page complains or asks for anything but itself."""
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    requests: list[str] = []
    opened.on("request", lambda request: requests.append(request.url))
    yield opened
    opened.close()
    assert not complaints
    assert all(url.startswith(("file:", "data:")) for url in requests)
    assert sum(url.startswith("file:") for url in requests) <= 1


@pytest.fixture
def report(make_run: MakeRun, pictures: list[Path], tmp_path: Path) -> Path:
    items = [Item(str(n), path, (f"reference {n}",)) for n, path in enumerate(pictures)]
    runs = [
        make_run("good", {"0": "a red wall", "1": "green grass", "2": HOSTILE}, {"CIDEr": [1, 2, 3]}, items),
        make_run(
            "bad",
            {"0": "a wall", "1": "grass", "2": Caption("2", Outcome.REFUSED, error="no dogs")},
            {"CIDEr": [0.5, 0.1]},
            items,
        ),
    ]
    return write_report(compare(runs), tmp_path / "report.html")


def seen(page: Any) -> list[str]:
    """The ids of the images that are shown, in their order."""
    return page.locator("article.card:visible h3").all_text_contents()  # type: ignore[no-any-return]


def test_search_and_order(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    assert seen(page) == ["0", "1", "2"]
    page.fill("#search", "green")
    assert seen(page) == ["1"]
    assert page.inner_text("#shown") == "1 of 3 match"
    page.fill("#search", "refused")
    assert seen(page) == ["2"]
    page.fill("#search", "")
    page.select_option("#order", "-spread")
    assert seen(page) == ["1", "0", "2"]  # differences of 1.9 and 0.5; the third has no pair
    page.select_option("#order", "lowest")
    assert seen(page) == ["1", "0", "2"]


def test_the_table_sorts_by_mouse_and_keyboard(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    first = page.locator("table.leaderboard tbody tr:first-child th")
    assert first.inner_text() == "good"
    page.click("table.leaderboard thead th:has-text('CIDEr') button")
    assert first.inner_text() == "bad"
    page.focus("table.leaderboard thead th:has-text('CIDEr') button")
    page.keyboard.press("Enter")
    assert first.inner_text() == "good"


def test_hostile_captions_stay_text(page: Any, report: Path) -> None:
    page.goto(report.as_uri())
    assert page.title() == "2 runs on pets"
    assert "<script>document.title" in page.inner_text("article.card:nth-child(3)")


@pytest.mark.parametrize("width", [320, 768, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_screen(page: Any, report: Path, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    page.goto(report.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_real_photographs_are_seen(real_data: Path, page: Any, tmp_path: Path) -> None:
    """Replayed captions of every published system over the photographs that are at hand."""
    systems = sorted(path.stem for path in (real_data / "systems").glob("*.json") if path.stem != "scores")
    configs = [
        run_configs(
            [
                "model=replay",
                f"model.captions={real_data / 'systems' / system}.json",
                "data=karpathy",
                f"data.annotations={real_data / 'coco' / 'captions_karpathy_test.json'}",
                f"data.images={real_data / 'coco' / 'images'}",
                "only_with_images=true",
                "scorer=[cider]",
                "resamples=50",
                f"runs={tmp_path}",
                f"name={system}",
            ]
        )[0]
        for system in systems
    ]
    for config in configs:
        evaluate(config)
    page.goto(write_report(compare([config.folder for config in configs]), tmp_path / "all.html").as_uri())
    assert len(seen(page)) == 32
    widths = page.evaluate("[...document.images].map((image) => image.complete ? image.naturalWidth : 0)")
    assert len(widths) == 32
    assert all(width > 100 for width in widths)
    assert page.locator("table.leaderboard tbody tr").count() == len(systems)
