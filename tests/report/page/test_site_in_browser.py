"""A site in a real browser: runs are found, and two of them are compared, with links back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Item
from evaluator.report.site import add_to_site

axe = pytest.importorskip("axe_playwright_python.sync_playwright")

MakeRun = Callable[..., Path]


def test_a_site(browser: Any, make_run: MakeRun, pictures: list[Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "site.yaml").write_text("runs: {one: {size: 7B, where: cloud}}")
    items = [Item(str(number), path, ("a red picture",)) for number, path in enumerate(pictures)]
    runs = [
        make_run(name, {item.id: f"{name} {item.id}" for item in items}, {"CIDEr": [score] * 3}, items)
        for name, score in (("one", 0.5), ("two", 0.4))
    ]
    index = add_to_site(runs, site)
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(index.as_uri())
    rows = page.locator("table.leaderboard tbody tr:visible")
    for words, found in (("7b cloud", 1), ("two", 1), ("three", 0), ("", 2)):
        page.fill("#find-run", words)
        assert rows.count() == found, words
    assert not axe.Axe().run(page).response["violations"]
    page.click("text=Compare captions")
    page.locator("article.card img").nth(2).wait_for()
    assert page.locator("article.card .answers li").count() == 6
    page.click("[data-view=matrix]")
    assert page.locator(".matrix thead th").all_inner_texts() == ["Image", "one", "two"]
    page.click("text=All runs")
    page.click("table.leaderboard >> text=two")
    page.locator("article.card img").first.wait_for()
    assert page.locator("nav >> text=All runs").is_visible()
    page.close()
    assert not complaints
