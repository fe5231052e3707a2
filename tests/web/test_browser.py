"""The pages in a real browser, served by the real server. Skips where there is no chromium.

Pictures of the pages are kept in build/screenshots, to be looked at.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from PIL import Image

from evaluator.config.run_config import run_configs
from evaluator.core import Caption, Item, Outcome, Prompt, Reply
from evaluator.core.errors import CaptionError
from evaluator.evaluate import evaluate
from tests.scored_runs import scored_run
from tests.web.conftest import SCREENSHOTS, width_of

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
pytest.importorskip("uvicorn")
pytest.importorskip("starlette")
HOSTILE = "<img src=x onerror=alert(1)></bdi><script>document.title = 'taken over'</script>"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Any]:
    from evaluator.web.app import web_app
    from evaluator.web.listed_runs import ListedRuns
    from evaluator.web.server import serving

    with serving(web_app(ListedRuns(tmp_path / "runs")), "127.0.0.1", 0) as app:
        yield app


@pytest.fixture
def page(browser: Any, served: Any) -> Iterator[Any]:
    """A new page; the test fails if the page complains or asks anybody but the app."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    opened.on("console", lambda message: complaints.append(f"{message.text} {message.location.get('url')}"))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    opened.on("request", lambda request: requests.append(request.url))
    yield opened
    context.close()
    assert not complaints
    assert all(url.startswith((f"http://127.0.0.1:{served.port}/", "data:")) for url in requests)


@dataclass(frozen=True)
class Held:
    """Answers an image as soon as the test lets it."""

    free: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Held]:
        yield self

    def prepare(self, item: Item) -> str:
        return item.id

    def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
        assert self.free.acquire(timeout=60)
        (item_id,) = prepared
        if item_id == "2":
            return [CaptionError(Outcome.REFUSED, f"I cannot. {HOSTILE}")]
        return [Reply(HOSTILE if item_id == "3" else f"The image shows picture {item_id}.")]


def test_a_run_is_seen_while_it_is_made(
    page: Any, served: Any, own: Path, references: Callable[..., Path], tmp_path: Path
) -> None:
    colours = {1: "red", 2: "green", 3: "blue", 4: "white"}
    for number, colour in colours.items():
        Image.new("RGB", (300, 200), colour).save(tmp_path / f"{number}.png")
    model = Held()
    (config,) = run_configs(
        [
            *(
                "model=scripted",
                "data=coco",
                f"data.annotations={references({n: [c] for n, c in colours.items()})}",
            ),
            *(f"data.images={tmp_path}", f"runs={tmp_path / 'runs'}", "name=live", "scorer=[bleu]"),
            *("runner.batch_size=1", "resamples=20"),
        ],
        own,
    )
    making = threading.Thread(target=evaluate, args=(replace(config, model=model),))
    page.clock.install()
    page.goto(served.addresses(f"/watch?{urlencode({'run': 'live'})}")[0])
    page.wait_for_selector("text=not begun")
    making.start()
    page.wait_for_selector("text=0 of 4 images")
    # By the page's own clock, which stands still: whatever was recorded is shown by the look a second later.
    page.clock.pause_at(page.evaluate("Date.now()") + 1000)
    model.free.release()
    captions = tmp_path / "runs" / "live" / "captions.jsonl"
    while not captions.read_bytes().endswith(b"\n"):
        time.sleep(0.01)
    page.clock.run_for(1000)
    page.wait_for_selector("text=The image shows picture 1.")
    page.clock.resume()
    assert page.locator(".state").inner_text() == "running"
    assert "100 % begin with a preamble" in page.inner_text(".followed")
    assert page.locator("#report").is_hidden()
    assert width_of(page, ".picture img") == 300
    model.free.release()
    page.wait_for_selector(".reasons >> text=1 refused")
    page.set_viewport_size({"width": 360, "height": 740})
    looked_at(page, "view_live_phone")
    page.set_viewport_size({"width": 1280, "height": 900})
    page.check("#hold")
    model.free.release()
    page.wait_for_selector("text=1 new")
    assert page.locator(".made-card").count() == 2
    page.uncheck("#hold")
    assert page.locator(".made-card .caption").first.inner_text() == HOSTILE
    looked_at(page, "view_live")
    page.locator("button.picture").first.click()
    assert width_of(page, "#large img") == 300
    page.keyboard.press("Escape")
    model.free.release()
    making.join(60)
    page.click("#report:visible")
    page.wait_for_selector("h2 >> text=Leaderboard")
    assert "taken over" not in page.title()


def test_runs_are_selected_and_compared(page: Any, served: Any, tmp_path: Path) -> None:
    said = {"1": "a dog", "2": Caption("2", Outcome.BLOCKED, error=HOSTILE)}
    for name, score in (("a-system-with-a-rather-long-name-" * 3, 0.5), ("blip", 0.7)):
        scored_run(tmp_path / "runs" / name, said, {"CIDEr": [score]}, cost_usd=0.01, images_per_second=3.0)
    page.goto(served.addresses()[0])
    for width in (1280, 360):
        page.set_viewport_size({"width": width, "height": 740})
        page.wait_for_selector("tbody tr")
        looked_at(page, f"view_runs_{width}")
    assert page.is_disabled("text=Compare")
    for box in page.get_by_role("checkbox").all():
        box.check()
    for _ in range(2):  # a new list does not take the selection back
        page.wait_for_event("response", lambda response: response.url.endswith("/api/runs"))
    page.click("text=Compare")
    page.wait_for_selector("h2 >> text=Leaderboard")
    assert page.locator("table.leaderboard tbody tr").count() == 2


def test_a_page_says_when_the_program_has_ended(browser: Any, tmp_path: Path) -> None:
    from evaluator.web.app import web_app
    from evaluator.web.listed_runs import ListedRuns
    from evaluator.web.server import serving

    page = browser.new_page()
    with serving(web_app(ListedRuns(tmp_path)), "127.0.0.1", 0) as app:
        page.goto(app.addresses()[0])
        page.wait_for_selector("text=holds no run yet")
    page.wait_for_selector("#notice >> text=The program has ended")
    page.close()


def looked_at(page: Any, name: str) -> None:
    """Nothing is wider than the screen, axe-core finds nothing in anybody's way, and a picture is kept."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"]
    found = axe.Axe().run(page).response["violations"]
    assert not found, json.dumps(
        [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]]) for one in found], indent=1
    )
