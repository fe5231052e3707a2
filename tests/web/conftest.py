"""The app over a test's own runs, and who has its token."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

TOKEN = "a-token-of-the-tests"
HOST = "http://127.0.0.1:8765"
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"


def width_of(page: Any, image: str) -> int:
    """The width of a picture in pixels, as soon as it is there.

    Playwright's own wait_for_function would evaluate a text, which the policy of the page does not allow.
    """
    shown = "async (image) => { await image.decode(); return image.naturalWidth }"
    return int(page.locator(image).first.evaluate(shown))


@pytest.fixture
def visitor(tmp_path: Path) -> Callable[..., Any]:
    """A browser of somebody: with the token or without."""
    pytest.importorskip("uvicorn")
    client = pytest.importorskip("starlette.testclient")

    def visit(has_token: bool = True, host: str = "127.0.0.1") -> Any:
        from evaluator.web.app import web_app
        from evaluator.web.guard import Guard, names_of
        from evaluator.web.listed_runs import ListedRuns

        app = Guard(web_app(ListedRuns(tmp_path)), TOKEN, names_of(host), is_open=host == "0.0.0.0")
        browser = client.TestClient(app, base_url=HOST)
        if has_token:
            assert browser.get("/", params={"token": TOKEN}).status_code == 200
        return browser

    return visit
