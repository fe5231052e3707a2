"""The page in a real browser: Debian's chromium, driven by Playwright. Skips where there is no chromium.

Pictures of the page are kept in build/screenshots, to be looked at.
"""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
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
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")

MakeRun = Callable[..., Path]
SCREENSHOTS = Path(__file__).parents[3] / "build" / "screenshots"
HOSTILE = (
    "<script>document.title = 'taken over'</script><img src=https://example.com/x.png> \u202edog",
    "</bdi></script><img src=x onerror=alert(1)>",
    "javascript:alert(1) data:text/html,<b>bold</b> &lt;i&gt; &amp;amp;",
    "{{ 7 * 7 }} ${7 * 7} `back` \u2066more\u2069 \U0001f415 \ud83d",
    "line one\nline two\ttab \x00\x07 end",
    "\u0e01\u0e33\u0e25\u0e31\u0e07 \u0643\u0644\u0628 \u5c0f\u72d7 " * 20,
)


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
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    requests: list[str] = []
    opened.on("request", lambda request: requests.append(request.url))
    yield opened
    opened.close()
    assert not complaints
    assert all(url.startswith(("file:", "data:")) for url in requests)
    assert len({url.partition("#")[0] for url in requests if url.startswith("file:")}) <= 1


@pytest.fixture
def report(make_run: MakeRun, pictures: list[Path], tmp_path: Path) -> Path:
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


def seen(page: Any) -> list[str]:
    """The ids of the images that are shown, in their order."""
    return page.locator("article.card h3").all_text_contents()  # type: ignore[no-any-return]


def opened(page: Any, path: Path, fragment: str = "") -> Any:
    page.goto(path.as_uri() + fragment)
    page.wait_for_function("document.getElementById('shown').textContent !== ''")
    return page


def test_search_filters_and_orders(page: Any, report: Path) -> None:
    opened(page, report)
    assert seen(page) == ["0", "1", "2"]
    page.fill("#search", "GREEN")
    assert seen(page) == ["1"]
    assert page.inner_text("#shown") == "1 of 3 match"
    for words, found in (
        ("refused", ["2"]),
        ("no dogs", ["2"]),
        ("grass", ["1"]),
        ("bricks", ["0", "1", "2"]),
    ):
        page.fill("#search", words)
        assert seen(page) == found
    page.fill("#search", "")
    orders = {"gain": ["1", "0", "2"], "loss": ["0", "1", "2"]}  # 1.9 and 0.5; the third has no pair
    for order, expected in orders.items():
        page.select_option("#order", order)
        assert seen(page) == expected, order
    page.select_option("#order", "data")
    shown = {"disagree": ["0"], "long": ["1"], "failed": ["2"], "outcome refused": ["2"], "tag 1": ["0", "1"]}
    for what, expected in shown.items():
        page.select_option("#show", what)
        assert seen(page) == expected, what
    page.select_option("#show", "all")
    page.select_option("#order", "gain")
    page.select_option("form.controls select.metric", label="METEOR")
    assert seen(page) == ["1", "0", "2"]  # +0.1 and -0.2
    assert "METEOR +10.0 against bad" in page.inner_text("article.card:first-child")
    page.select_option("form.controls select.one", label="bad")
    page.select_option("form.controls select.other", label="good")
    assert seen(page) == ["0", "1", "2"]
    # The same choice stands at the plot.
    assert page.input_value("#scatter select.one") == "1"


def test_each_order_is_its_own(make_run: MakeRun, page: Any, tmp_path: Path) -> None:
    words = {"0": "a b c d", "1": "a b c d e f", "2": "a b", "3": "a b c"}
    scores = {"x": [0.5, 0.6, 0.9, 0.2], "y": [0.4, 0.2, 0.7, 0.3], "z": [0.45, 0.3, 0.1, 0.25]}
    runs = [make_run(name, words, {"CIDEr": of_run}) for name, of_run in scores.items()]
    opened(page, write_report(compare(runs), tmp_path / "report.html"))
    expected = {
        "gain": ["1", "2", "0", "3"],  # of x on y: 0.4, 0.2, 0.1, -0.1
        "loss": ["3", "0", "2", "1"],
        "spread": ["2", "1", "0", "3"],  # 0.8, 0.4, 0.1, 0.1
        "worst": ["2", "1", "3", "0"],  # 0.1, 0.2, 0.2, 0.4
        "length": ["1", "0", "3", "2"],
        "data": ["0", "1", "2", "3"],
    }
    for order, ids in expected.items():
        page.select_option("#order", order)
        assert seen(page) == ids, order
    page.select_option("#order", "gain")
    page.select_option("form.controls select.other", label="z")
    assert seen(page) == ["2", "1", "0", "3"]  # 0.8, 0.3, 0.05, -0.05


def test_a_lower_score_gains_where_lower_is_better(make_run: MakeRun, page: Any, tmp_path: Path) -> None:
    said = {"0": "a", "1": "b", "2": "c"}
    runs = [
        make_run("low", said, {"CHAIR": [0.1, 0.2, 0.3]}, higher_is_better=False),
        make_run("high", said, {"CHAIR": [0.2, 0.9, 0.25]}, higher_is_better=False),
    ]
    opened(page, write_report(compare(runs), tmp_path / "report.html"))
    assert page.locator("article.card .number b").all_text_contents() == ["10.0", "20.0", "25.0"]
    page.select_option("#order", "gain")
    assert seen(page) == ["1", "0", "2"]
    assert "CHAIR −70.0 against high" in page.inner_text("article.card:first-child")
    page.select_option("#order", "worst")
    assert seen(page) == ["1", "2", "0"]
    label = page.get_attribute("#scatter canvas", "aria-label")
    assert "low has the better CHAIR on 2 images and high on 1" in label


def test_the_summary_leads_to_the_images_behind_it(page: Any, report: Path) -> None:
    opened(page, report)
    page.select_option("form.controls select.one", label="bad")
    page.select_option("form.controls select.other", label="good")
    page.select_option("form.controls select.metric", label="METEOR")
    page.fill("#search", "nothing like it")
    assert page.inner_text("#cards") == "No image matches."
    page.click("a[data-order=gain]")
    chosen = [page.input_value(f"form.controls select.{name}") for name in ("one", "other", "metric")]
    assert chosen == ["0", "1", "0"]
    assert page.input_value("#order") == "gain"
    assert seen(page) == ["1", "0", "2"]


def test_words_that_no_reference_has_are_marked(page: Any, report: Path) -> None:
    """By default; a word that any reference has is right."""
    opened(page, report)
    assert page.input_value("#mark") == "references"
    assert page.locator("article.card").nth(0).locator("mark").count() == 0
    marked = page.evaluate("inNone('a Dog and a red bus on grass', ['a dog runs', 'the bus', 'Grass'])")
    assert marked == [[12, 15], [20, 22]]  # "red", "on"
    assert page.evaluate("inNone('a dog', [])") == [[2, 5]]


def test_words_beyond_the_nearest_reference_are_marked(page: Any, report: Path) -> None:
    opened(page, report)
    page.select_option("#mark", "reference")
    card = page.locator("article.card").nth(0)
    assert card.locator("mark").all_text_contents() == []  # all words of "a red wall" are in a reference
    assert "reference 2 also says bricks" in card.inner_text()
    assert page.locator("article.card").nth(1).locator("mark").all_text_contents() == [
        *("lot", "fresh green grass"),
        "grass",
    ]
    page.select_option("#mark", label="what bad lacks")
    assert card.locator("mark").all_text_contents() == ["red"]
    page.select_option("#mark", "nothing")
    assert page.locator("mark").count() == 0


def test_the_words_that_only_one_of_two_texts_says(page: Any, report: Path) -> None:
    opened(page, report)

    def difference(text: str, other: str) -> Any:
        return page.evaluate("([text, other]) => difference(text, other)", [text, other])

    assert difference("a black dog on a sofa", "On the sofa, a dog, sleeps a dog.") == {
        "beyond": [[2, 7]],
        "lacks": ["sleeps", "dog"],
    }
    assert difference("", "the cat") == {"beyond": [], "lacks": ["cat"]}
    assert difference("black-and-white cat’s tail", "Cat’s tail") == {"beyond": [[0, 15]], "lacks": []}
    assert difference("one two, three", "four") == {"beyond": [[0, 14]], "lacks": ["four"]}
    assert difference("小狗 и кот", "小狗 и пёс") == {"beyond": [[5, 8]], "lacks": ["пёс"]}
    assert difference("एक लाल कुत्ता", "एक कुत्ता")["beyond"] == [[3, 6]]
    assert len(difference("word " * 3000, "word")["beyond"]) == 1
    assert page.evaluate("nearest('a dog runs', ['a cat', 'the dog runs', 'dogs'])") == 1
    assert page.evaluate("nearest('a dog', [])") == -1


def test_an_image_has_an_address(page: Any, report: Path) -> None:
    opened(page, report, "#image=1")
    focused = "document.activeElement.querySelector('h3')?.textContent"
    assert page.evaluate(focused) == "1"
    page.fill("#search", "red wall of")
    page.select_option("#show", "tag 0")
    assert seen(page) == ["1"]
    page.evaluate("location.hash = 'image=2'")  # not among those found: they are all shown again
    page.wait_for_function(f"{focused} === '2'")
    assert seen(page) == ["0", "1", "2"]
    page.click("article.card:nth-child(1) h3 a")
    page.wait_for_function(f"{focused} === '0'")
    assert page.url.endswith("#image=0")
    for odd in ("image=nowhere", "image=50%", "%", "image", "&&=", "order=nothing&show=tag%2099"):
        page.evaluate("odd => { location.hash = odd }", odd)
        assert "too old" not in page.inner_text("#cards"), odd


def test_what_was_chosen_stands_in_the_address(page: Any, report: Path) -> None:
    opened(page, report)
    page.select_option("#order", "loss")
    page.fill("#search", "a")
    page.select_option("form.controls select.metric", label="METEOR")
    page.click("article.card:nth-child(2) h3 a")
    address, order = page.url, seen(page)
    assert "order=loss" in address
    page.goto("about:blank")
    page.goto(address)
    page.wait_for_function("document.getElementById('shown').textContent !== ''")
    assert page.input_value("#search") == "a"
    assert seen(page) == order
    assert page.evaluate("document.activeElement.ariaPosInSet") == "2"
    # The head of what was asked for is not behind the controls, and going there twice works.
    for height in (900, 500):
        page.set_viewport_size({"width": 1280, "height": height})
        page.evaluate("window.scrollTo(0, 0)")
        page.click("article.card:nth-child(2) h3 a")
        box, controls = (page.locator(part).bounding_box() for part in (".card:focus", "form.controls"))
        sticky = (
            page.evaluate("getComputedStyle(document.querySelector('form.controls')).position") == "sticky"
        )
        assert box["y"] >= (controls["y"] + controls["height"] if sticky else 0) - 1


def test_a_dot_of_the_plot_leads_to_its_image(page: Any, report: Path) -> None:
    opened(page, report)
    canvas = page.locator("#scatter canvas")
    assert "good has the better CIDEr on 2 images and bad on 0" in canvas.get_attribute("aria-label")
    canvas.scroll_into_view_if_needed()
    # Of two dots the higher one is image 1, at the left; find it by asking along a grid.
    box = canvas.bounding_box()
    for x in range(40, int(box["width"]), 6):
        page.mouse.move(box["x"] + x, box["y"] + 14)
        if page.locator("#scatter output").inner_text().startswith("1: 200.0"):
            break
    assert "a lot of fresh green grass" in page.inner_text("#scatter output")
    page.mouse.click(box["x"] + x, box["y"] + 14)
    page.wait_for_function("location.hash === '#image=1'")


def test_the_table_sorts_by_mouse_and_keyboard(page: Any, report: Path) -> None:
    opened(page, report)
    first = page.locator("table.leaderboard tbody tr:first-child th")
    assert first.inner_text() == "good"
    page.click("table.leaderboard thead th:has-text('CIDEr') button")
    assert first.inner_text() == "bad"
    page.focus("table.leaderboard thead th:has-text('CIDEr') button")
    page.keyboard.press("Enter")
    assert first.inner_text() == "good"


def test_hostile_text_stays_text(make_run: MakeRun, page: Any, tmp_path: Path) -> None:
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
    opened(page, write_report(compare(runs), tmp_path / "report.html"))
    assert page.title() == "2 runs on pets"
    pictured = {code: 0x2400 + code for code in range(32) if chr(code) not in "\t\n"}
    expected = [text.encode(errors="replace").decode().translate(pictured) for text in HOSTILE]
    said = page.locator(".answers li:first-child .caption > bdi").all_text_contents()
    assert said == expected
    assert page.locator("article img, article script, .caption b, .references b").count() == 0
    for number in range(len(items)):
        page.locator("article.card h3 a").nth(number).click()
        page.wait_for_function(f"document.activeElement.ariaPosInSet === '{number + 1}'")
    for text in HOSTILE[:4]:
        page.fill("#search", text[:30])
        assert page.locator("article.card").count() >= 1, text


@pytest.mark.parametrize("width", [320, 768, 1600])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_any_screen_and_anybody(page: Any, report: Path, width: int, scheme: str) -> None:
    """Nothing is wider than the screen, and axe-core finds nothing in anybody's way."""
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    opened(page, report)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = axe.Axe().run(page).response["violations"]
    assert not found, json.dumps(
        [(one["id"], one["help"], [node["html"][:200] for node in one["nodes"]]) for one in found], indent=1
    )


def test_long_and_foreign_names_find_room(make_run: MakeRun, page: Any, tmp_path: Path) -> None:
    names = ("instructblip_vicuna7b_zeroshot_" * 4, "Модель-с-длинным-именем-" * 5, "模型" * 40)
    said = {str(n): "a dog on a sofa" for n in range(12)}
    scores = [[n / 10 + k / 100 for n in range(12)] for k in range(3)]
    runs = [
        make_run(name[:80], said, {"CIDEr": of_run, "METEOR": of_run[::-1]}, images_per_second=1.0 + k)
        for k, (name, of_run) in enumerate(zip(names, scores, strict=True))
    ]
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        opened(page, write_report(compare(runs), tmp_path / "report.html"))
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not axe.Axe().run(page).response["violations"]


def test_on_paper_there_are_images_and_no_controls(page: Any, report: Path) -> None:
    opened(page, report)
    page.emulate_media(media="print")
    assert not page.is_visible("form.controls")
    assert page.is_visible("article.card")
    assert len(page.pdf()) > 10_000


def test_of_many_images_the_first_are_printed(page: Any, make_run: MakeRun, tmp_path: Path) -> None:
    captions = {str(number): "a dog" for number in range(50)}
    opened(page, write_report(compare([make_run("run", captions, {"CIDEr": [1] * 50})]), tmp_path / "r.html"))
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


def test_forty_thousand_images(page: Any, make_run: MakeRun, tmp_path: Path) -> None:
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
    opened(page, write_report(compare(runs), tmp_path / "report.html"), "#image=id%2023456")
    focused = "document.activeElement.querySelector('h3').textContent"
    assert page.evaluate(focused) == "id 23456"
    assert page.evaluate("document.activeElement.ariaPosInSet") == "23457"
    assert 0 <= page.locator("article.card:focus").bounding_box()["y"] < 900
    cards = page.locator("article.card")
    assert cards.count() < 200
    # As the reader scrolls, cards come and go.
    page.mouse.move(640, 450)
    for _ in range(30):
        page.mouse.wheel(0, 3000)
        page.wait_for_timeout(20)
    page.wait_for_function(
        "[...document.querySelectorAll('article.card')].some((c) => c.ariaPosInSet > 23600)"
    )
    assert cards.count() < 200
    page.fill("#search", "and 777 cats")
    assert seen(page) == ["id 777"]
    page.fill("#search", "javascript:")
    assert page.inner_text("#shown") == "67 of 40,000 match"
    page.fill("#search", "")
    page.select_option("#show", label="odd")
    assert page.inner_text("#shown") == "20,000 of 40,000 match"
    page.select_option("#order", "gain")
    assert seen(page)[:2] == ["id 1", "id 3"]
    page.select_option("#order", "loss")
    assert seen(page)[:2] == ["id 20001", "id 20003"]
    page.select_option("#show", "disagree")
    assert page.inner_text("#shown") == "40,000 shown"
    label = page.get_attribute("#scatter canvas", "aria-label")
    assert "first has the better CIDEr on 20,000 images and second on 20,000" in label
    assert page.evaluate("document.querySelector('#scatter canvas').width") > 200
    assert page.locator("article img, article script, .caption b").count() == 0
    assert page.title() == "2 runs on pets"


def test_the_real_photographs_are_seen(real_data: Path, page: Any, tmp_path: Path) -> None:
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
    opened(page, write_report(compare([config.folder for config in configs]), tmp_path / "all.html"))
    page.wait_for_function("document.images.length >= 20")
    widths = page.evaluate("[...document.images].map((image) => image.complete ? image.naturalWidth : 0)")
    assert all(width > 100 for width in widths)
    assert page.inner_text("#shown") == "32 shown"
    assert page.locator("table.leaderboard tbody tr").count() == len(systems)
    keep_pictures_of(page, "photographs")


def test_the_demos_report(page: Any, tmp_path: Path) -> None:
    configs = run_configs(
        ["data=demo", "model=tiny-git,tiny-blip", "scorer=[cider,meteor]", "limit=60", f"runs={tmp_path}"],
        sweep=True,
    )
    for config in configs:
        evaluate(config)
    opened(page, write_report(compare([config.folder for config in configs]), tmp_path / "demo.html"))
    assert page.locator("table.breakdown tbody tr").count() == 5  # the five shapes
    assert page.locator("figure.plot").count() >= 5
    keep_pictures_of(page, "demo")


def keep_pictures_of(page: Any, name: str) -> None:
    """Its head and its gallery, in light and dark, wide and on a phone."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            for part in ("summary", "plots", "images"):
                page.evaluate("part => { document.getElementById(part).scrollIntoView() }", part)
                page.wait_for_timeout(50)
                page.screenshot(path=SCREENSHOTS / f"{name}-{scheme}-{width}-{part}.png")
