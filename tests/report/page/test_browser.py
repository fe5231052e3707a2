"""The page in a real browser: Debian's chromium, driven by Playwright. Skips where there is no chromium.

Pictures of the page are kept in build/screenshots, to be looked at.
"""

from __future__ import annotations

import http.server
import json
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluator.comparison.compare import compare
from evaluator.config.run_config import run_configs
from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.evaluate import evaluate
from evaluator.report.page.html import write_report

playwright = pytest.importorskip("playwright.sync_api")
axe = pytest.importorskip("axe_playwright_python.sync_playwright")

MakeRun = Callable[..., Path]
OpenPage = Callable[..., Any]
SCREENSHOTS = Path(__file__).parents[3] / "build" / "screenshots"
HOSTILE = (
    "<script>document.title = 'taken over'</script><img src=https://example.com/x.png> \u202edog",
    "</bdi></script><img src=x onerror=alert(1)>",
    "javascript:alert(1) data:text/html,<b>bold</b> &lt;i&gt; &amp;amp;",
    "{{ 7 * 7 }} ${7 * 7} `back` \u2066more\u2069 \U0001f415 \ud83d",
    "line one\nline two\ttab \x00\x07 end",
    "\u0e01\u0e33\u0e25\u0e31\u0e07 \u0643\u0644\u0628 \u5c0f\u72d7 " * 20,
)


def test_hostile_text_stays_text(make_run: MakeRun, page: Any, open_page: OpenPage, tmp_path: Path) -> None:
    items = [
        Item(f"{n} {text.encode(errors='replace').decode()}", None, (text,), (text[:30],))
        for n, text in enumerate(HOSTILE)
    ]
    captions: dict[str, Any] = {
        item.id: Caption(item.id, Outcome.OK, Reply(text)) for item, text in zip(items, HOSTILE, strict=True)
    }
    last = items[-1].id
    runs = [
        make_run("a", captions, {"CIDEr": [1] * len(items)}, items),
        make_run(
            "<b>b</b>",
            captions | {last: Caption(last, Outcome.ERROR, error=HOSTILE[0])},
            {"CIDEr": [1] * (len(items) - 1)},
            items,
        ),
    ]
    open_page(page, write_report(compare(runs), tmp_path / "report.html"))
    assert page.title() == "2 runs on pets"
    pictured = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"}
    expected = [text.encode(errors="replace").decode().translate(pictured) for text in HOSTILE]
    said = page.locator("article .answers li:first-child .caption > bdi").all_text_contents()
    assert said == expected
    assert page.locator("article img, article script, .caption b, .references b").count() == 0
    assert page.locator("#spotlight .caption bdi").first.text_content() in expected
    page.locator("article.card h3 a").first.click()
    for number, text in enumerate(expected):
        assert page.locator("#lightbox .caption > bdi").first.text_content() == text
        assert page.locator("#lightbox output").inner_text() == f"{number + 1} of {len(items)}"
        page.keyboard.press("j")
    page.keyboard.press("Escape")
    for view in ("matrix", "grid", "cards"):
        page.click(f"[data-view={view}]")
        assert page.locator("#list :is(img, script, b b)").count() == 0
    for text in HOSTILE[:4]:
        page.fill("#search", text[:30])
        assert page.locator("article.card").count() >= 1, text


def violations(page: Any) -> str:
    """What axe-core finds in anybody's way, as text; empty for nothing."""
    found = axe.Axe().run(page).response["violations"]
    complaints = [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]]) for one in found]
    return json.dumps(complaints, indent=1) if found else ""


@pytest.mark.parametrize(("width", "scheme"), [(360, "dark"), (1600, "light")])
def test_any_screen_and_anybody(
    page: Any, open_page: OpenPage, report: Path, width: int, scheme: str
) -> None:
    """Nothing is wider than the screen, and axe-core finds nothing in anybody's way."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    open_page(page, report)
    for action in ("[data-view=matrix]", "[data-view=grid]", "[data-view=cards]", ".opener"):
        page.locator(action).last.click()
        assert page.evaluate("document.documentElement.scrollWidth") <= width, action
        assert not violations(page), action


def test_long_and_foreign_names_find_room(
    make_run: MakeRun, page: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    names = ("instructblip_vicuna7b_zeroshot_" * 4, "Модель-с-длинным-именем-" * 5, "模型" * 40)
    said = {str(n): "a dog on a sofa" for n in range(12)}
    scores = [[n / 10 + k / 100 for n in range(12)] for k in range(3)]
    runs = [
        make_run(name[:80], said, {"CIDEr": of_run, "METEOR": of_run[::-1]}, images_per_second=1.0 + k)
        for k, (name, of_run) in enumerate(zip(names, scores, strict=True))
    ]
    open_page(page, write_report(compare(runs), tmp_path / "report.html"))
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not violations(page)


def test_on_paper_there_are_images_and_no_controls(page: Any, open_page: OpenPage, report: Path) -> None:
    open_page(page, report)
    page.emulate_media(media="print")
    assert not page.is_visible("form.controls")
    assert page.is_visible("article.card")
    assert len(page.pdf()) > 10_000


def test_of_many_images_the_first_are_printed(
    page: Any, open_page: OpenPage, make_run: MakeRun, tmp_path: Path
) -> None:
    captions = {str(number): "a dog" for number in range(50)}
    open_page(
        page, write_report(compare([make_run("run", captions, {"CIDEr": [1] * 50})]), tmp_path / "r.html")
    )
    page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert page.locator("article.card:visible").count() == 20
    assert page.inner_text("p.more") == "and 30 more images on the page itself"
    page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert page.locator("p.more").count() == 0


def test_without_a_script_the_numbers_are_there(browser: Any, report: Path) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(report.as_uri())
        assert page.locator("table.leaderboard tbody tr").count() == 2
        assert page.locator("figure.plot svg").first.is_visible()
        assert "need JavaScript" in page.inner_text("main")


@pytest.mark.parametrize("by_http", [False, True])
def test_pictures_beside_the_page_are_shown(
    browser: Any, make_run: MakeRun, pictures: list[Path], tmp_path: Path, by_http: bool
) -> None:
    """From a file and from a web host; nothing else is asked for."""
    items = [Item(str(n), path, ("a picture",)) for n, path in enumerate(pictures)]
    run = make_run("run", {item.id: "a" for item in items}, {"CIDEr": [1] * 3}, items)
    folder = tmp_path / "a site"
    output = write_report(compare([run]), folder / "report.html", folder / "report_pictures")
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(folder))

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        page.goto(f"http://127.0.0.1:{server.server_port}/report.html" if by_http else output.as_uri())
        page.locator("article img").nth(2).wait_for()
        assert page.evaluate("Promise.all([...document.images].map((image) => image.decode())).then(() => 1)")
        page.close()
        server.shutdown()
    assert not complaints
    assert len([url for url in requests if not url.startswith("data:")]) == 4


def test_forty_thousand_images(page: Any, open_page: OpenPage, make_run: MakeRun, tmp_path: Path) -> None:
    """Found, filtered, ordered, plotted and addressed, with few cards at a time; hostile ones among them."""
    images = 40_000
    hostile = [text.encode(errors="replace").decode() for text in HOSTILE]
    items = [
        Item(f"id {n}", None, (f"{n} cats", "a dog"), ("even",) if n % 2 == 0 else ("odd",))
        for n in range(images)
    ]
    said = {
        f"id {n}": hostile[n // 100 % len(hostile)] if n % 100 == 7 else f"a dog and {n} cats"
        for n in range(images)
    }
    good = np.arange(images) < images // 2
    runs = [
        make_run("first", said, {"CIDEr": 1.0 + good, "METEOR": 0.6 - good / 5}, items),
        make_run(
            "second", dict.fromkeys(said, "a dog"), {"CIDEr": [1.5] * images, "METEOR": [0.5] * images}, items
        ),
    ]
    open_page(page, write_report(compare(runs), tmp_path / "report.html"), "#image=id%2023456")
    assert page.inner_text("#lightbox h2") == "id 23456"
    assert page.inner_text("#lightbox output") == "23,457 of 40,000"
    page.keyboard.press("Escape")
    focused = page.locator("article.card:has(:focus)")
    assert focused.locator("h3").inner_text() == "id 23456"
    assert 0 <= focused.bounding_box()["y"] < 900
    cards = page.locator("article.card")
    assert cards.count() < 200
    # As the reader scrolls, cards come and go.
    page.mouse.move(640, 450)
    for _ in range(30):
        page.mouse.wheel(0, 3000)
        page.wait_for_timeout(20)
    further = re.compile(r"23[6-9]\d\d|2[4-9]\d\d\d")
    playwright.expect(cards.last).to_have_attribute("aria-posinset", further)
    assert cards.count() < 200
    page.fill("#search", "and 777 cats")
    assert cards.locator("h3").all_text_contents() == ["id 777"]
    page.fill("#search", "javascript:")
    assert page.inner_text("#shown") == "67 of 40,000 match"
    page.fill("#search", "")
    page.select_option("#show", label="odd")
    assert page.inner_text("#shown") == "20,000 of 40,000 match"
    page.select_option("#order", "gain")
    assert cards.locator("h3").all_text_contents()[:2] == ["id 1", "id 3"]
    page.select_option("#order", "loss")
    assert cards.locator("h3").all_text_contents()[:2] == ["id 20001", "id 20003"]
    page.select_option("#show", "disagree")
    assert page.inner_text("#shown") == "40,000 shown"
    label = page.get_attribute("#scatter canvas", "aria-label")
    assert "first has the better CIDEr on 20,000 images and second on 20,000" in label
    page.locator("#scatter canvas").scroll_into_view_if_needed()
    assert page.evaluate("document.querySelector('#scatter canvas').width") > 200
    for view, items_of_view in (("matrix", ".matrix tbody th"), ("grid", ".thumbnail")):
        page.click(f"[data-view={view}]")
        page.locator(items_of_view).first.wait_for()
        assert page.locator(items_of_view).count() < 400
    assert page.locator("article img, article script, .caption b").count() == 0
    assert page.title() == "2 runs on pets"


def test_the_real_photographs_are_seen(
    real_data: Path, page: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    """Replayed captions of every published system over the photographs that are at hand."""
    others = ("scores", "val2014_fakecap_1000")  # the latter is of other images, but for four
    systems = sorted(path.stem for path in (real_data / "systems").glob("*.json") if path.stem not in others)
    configs = [
        run_configs(
            [
                "model=replay",
                f"model.captions={real_data / 'systems' / system}.json",
                "data=karpathy",
                f"data.annotations={real_data / 'coco' / 'captions_karpathy_test.json'}",
                f"data.images={real_data / 'coco' / 'images'}",
                f"data.instances={real_data / 'coco' / 'instances_val2017_subset.json'}",
                "only_with_images=true",
                "scorer=[cider,bleu,rouge]",
                "resamples=50",
                f"runs={tmp_path}",
                f"name={system}",
            ]
        )[0]
        for system in systems
    ]
    for config in configs:
        evaluate(config)
    open_page(page, write_report(compare([config.folder for config in configs]), tmp_path / "all.html"))
    page.locator("article.card img").nth(9).wait_for()
    widths = page.evaluate("[...document.images].map((image) => image.complete ? image.naturalWidth : 0)")
    assert all(width > 100 for width in widths)
    assert page.inner_text("#shown") == "32 shown"
    assert page.locator("table.leaderboard tbody tr").count() == len(systems)
    keep_pictures_of(page, "photographs")


def test_the_demos_report(page: Any, open_page: OpenPage, tmp_path: Path) -> None:
    configs = run_configs(
        ["data=demo", "model=tiny-git,tiny-blip", "scorer=[cider,meteor]", "limit=60", f"runs={tmp_path}"],
        sweep=True,
    )
    for config in configs:
        evaluate(config)
    open_page(page, write_report(compare([config.folder for config in configs]), tmp_path / "demo.html"))
    assert page.locator("table.breakdown tbody tr").count() == 5  # the five shapes
    assert page.locator("figure.plot").count() >= 5
    keep_pictures_of(page, "demo")


def keep_pictures_of(page: Any, name: str) -> None:
    """Its first screen, its three views and a large picture, in light and dark, wide and on a phone."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for scheme, width, height in (("light", 1600, 1000), ("dark", 1280, 800), ("light", 360, 780)):
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme=scheme)
        page.evaluate("window.scrollTo(0, 0)")
        page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}-first.png")
        for view in ("matrix", "grid", "cards"):
            page.click(f"[data-view={view}]")
            page.evaluate("document.getElementById('images').scrollIntoView()")
            page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}-{view}.png")
        page.locator("#list .opener").first.click()
        page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}-large.png")
        page.keyboard.press("Escape")
