"""A site in a real browser: runs are found, and two of them are compared, with links back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from evaluator.core import Caption, Item, Outcome, Reply
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


SITE = """
runs:
  small: {size: 223M, where: local}
  large: {size: '7B, 15 GB', where: local}
  asked: {where: cloud}
"""


@pytest.fixture
def site(make_run: MakeRun, tmp_path: Path) -> Path:
    """Four systems, of which some have a size, a price and a place; and a person."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "site.yaml").write_text(SITE)
    items = [Item(str(number), None, ("a dog", f"a brown dog {number}")) for number in range(4)]
    prices = {"small": None, "large": None, "asked": 0.002, "unknown": 0.0005}  # of an image
    runs = []
    for number, (name, price) in enumerate(prices.items()):
        said = {
            item.id: Caption(item.id, Outcome.OK, Reply(f"a dog {name}"), cost_usd=price) for item in items
        }
        total = None if price is None else 4 * price
        runs.append(make_run(name, said, {"CIDEr": [number / 10] * 4}, items, cost_usd=total))
    return add_to_site(runs, tmp_path / "site", with_human=True)


@pytest.mark.parametrize("width", [360, 1280])
def test_a_site_is_filtered_by_numbers(browser: Any, site: Path, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(site.as_uri())

    def shown() -> list[str]:
        names = page.locator("table.leaderboard :is(tbody, tfoot) tr:visible th > :is(a, bdi)")
        return sorted(names.all_inner_texts())

    everything = ["a person", "asked", "large", "small", "unknown"]
    assert shown() == everything
    # By the keyboard alone: the menu opens, and Tab leads from field to field.
    page.focus("#filters summary")
    page.keyboard.press("Enter")
    for text, expected in (
        ("", everything),  # where
        ("1", ["large"]),  # billions of parameters, from
        ("5", []),
    ):
        page.keyboard.press("Tab")
        page.keyboard.type(text)
        assert shown() == expected, text
    assert page.inner_text("#found") == "0 of 5 rows"
    assert page.inner_text("#filters summary") == "Filter2"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    box = page.locator("#filters > div").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert not axe.Axe().run(page).response["violations"]
    page.click("#show-all")
    assert shown() == everything
    for chosen, expected in (
        ({"price-to": "1"}, ["unknown"]),
        ({"price-to": "2", "price-from": "0.5"}, ["asked", "unknown"]),
        ({"disk-from": "10"}, ["large"]),
        ({"parameters-to": "0.223"}, ["small"]),
        ({"where": "local"}, ["large", "small"]),
        ({"where": "cloud", "parameters-to": "9"}, []),  # its size is not known
        ({"find": "person"}, ["a person"]),
    ):
        page.goto("about:blank")
        page.goto(f"{site.as_uri()}#{urlencode(chosen)}")
        assert shown() == expected, chosen
        for name, value in chosen.items():
            assert page.input_value(f"[name={name}]") == value
    # What is typed stands in the address, and is there again after a reload.
    page.fill("#find-run", "a")
    page.click("#filters summary")
    page.select_option("[name=where]", "local")
    page.keyboard.press("Escape")
    page.reload()
    assert shown() == ["large", "small"]
    page.evaluate("location.hash = 'where=nowhere&find=&price-to=cheap&odd=%'")  # an address may say anything
    page.wait_for_selector("text=$2.00 per 1,000 images")
    assert shown() == everything
    page.close()
    assert not complaints
