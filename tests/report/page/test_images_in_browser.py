"""Looking through the images in a real browser: questions, views, large pictures, marks, exports."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from evaluator.comparison.compare import compare
from evaluator.core import Item
from evaluator.files.hand_marks import HandMark, read_marks
from evaluator.report.page.html import write_report

expect = pytest.importorskip("playwright.sync_api").expect

MakeRun = Callable[..., Path]
OpenPage = Callable[..., Any]


def seen(page: Any) -> list[str]:
    """The ids of the images that are shown, in their order."""
    return page.locator("article.card h3").all_text_contents()  # type: ignore[no-any-return]


def question(page: Any, text: str) -> Any:
    return page.locator(".questions button", has_text=text)


def test_search_filters_and_orders(page: Any, open_page: OpenPage, report: Path) -> None:
    open_page(page, report)
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
    assert "METEOR +10.0: good against bad" in page.inner_text("article.card:first-child")
    page.click("#swap")
    assert seen(page) == ["0", "1", "2"]
    # The same choice stands at the plot.
    assert page.input_value("#scatter select.one") == "1"


def test_one_click_asks_a_question(page: Any, open_page: OpenPage, report: Path) -> None:
    open_page(page, report)
    expect(page.locator(".questions .count")).to_have_count(6)
    answers = {
        "A beats B 2": ["1", "0"],  # by 1.9 and by 0.5
        "B beats A 0": [],
        "Metrics disagree 1": ["0"],
        "Failures 1": ["2"],
        "All wrong 1": ["0"],
    }
    page.fill("#search", "this is searched for no longer")
    for text, ids in answers.items():
        asked = question(page, text.rpartition(" ")[0])
        asked.click()
        assert asked.locator(".count").inner_text() == text.rpartition(" ")[2]
        assert asked.get_attribute("aria-pressed") == "true"
        assert seen(page) == ids, text
    question(page, "A beats B").click()
    page.click("#swap")
    assert seen(page) == []
    assert page.inner_text("#list") == "No image matches."
    question(page, "B beats A").click()
    assert seen(page) == ["1", "0"]
    assert "show=second" in page.url
    page.click("a[data-show=first]")  # in the summary: of the first two runs, whatever was chosen
    assert page.input_value("form.controls select.one") == "0"
    assert seen(page) == ["1", "0"]


def test_invented_objects_and_notes(
    page: Any, open_page: OpenPage, make_run: MakeRun, tmp_path: Path
) -> None:
    runs = [
        make_run(name, {"0": "a cat", "1": "a dog", "2": "a bus"}, {"CHAIR-s": score}, higher_is_better=False)
        for name, score in (("one", [0, 1, 0]), ("two", [0, 0, 0]))
    ]
    comparison = compare(runs)
    run = comparison.rows[1].run
    judged = replace(run.measurements["CHAIR-s"], name="judge", notes=["", "", "invented: <b>bus</b>"])
    vars(run)["measurements"] = {**run.measurements, "judge": judged}
    open_page(page, write_report(comparison, tmp_path / "report.html"))
    question(page, "Invented objects").click()
    assert seen(page) == ["1", "2"]
    assert page.locator("article.card .note").all_inner_texts() == ["judge: invented: <b>bus</b>"]
    page.fill("#search", "invented: <b>")
    assert seen(page) == ["2"]


def test_each_order_is_its_own(make_run: MakeRun, page: Any, open_page: OpenPage, tmp_path: Path) -> None:
    words = {"0": "a b c d", "1": "a b c d e f", "2": "a b", "3": "a b c"}
    scores = {"x": [0.5, 0.6, 0.9, 0.2], "y": [0.4, 0.2, 0.7, 0.3], "z": [0.45, 0.3, 0.1, 0.25]}
    runs = [make_run(name, words, {"CIDEr": of_run}) for name, of_run in scores.items()]
    open_page(page, write_report(compare(runs), tmp_path / "report.html"))
    expected = {
        "gain": ["1", "2", "0", "3"],  # of x on y: 0.4, 0.2, 0.1, -0.1
        "loss": ["3", "0", "2", "1"],
        "spread": ["2", "1", "0", "3"],  # 0.8, 0.4, 0.1, 0.1
        "worst": ["2", "1", "3", "0"],  # 0.1, 0.2, 0.2, 0.4
        "easiest": ["3", "0", "1", "2"],  # 0.3, 0.5, 0.6, 0.9
        "length": ["1", "0", "3", "2"],
        "data": ["0", "1", "2", "3"],
    }
    for order, ids in expected.items():
        page.select_option("#order", order)
        assert seen(page) == ids, order
    page.click("text=z is furthest behind")  # in the summary
    assert seen(page) == ["2", "1", "0"]  # 0.8, 0.3, 0.05
    page.select_option("#show", "all")
    assert page.input_value("form.controls select.other") == "2"
    assert seen(page) == ["2", "1", "0", "3"]  # and -0.05
    # A hidden system has no part in the orders: without y, the best of image 3 is 0.25.
    page.select_option("#order", "spread")
    page.click("#systems summary")
    page.click("#systems label:has-text('z')")
    assert seen(page) == ["1", "2", "0", "3"]  # 0.4, 0.2, 0.1, 0.1
    assert page.locator("article.card:first-child .answers li").count() == 2
    assert page.locator("table.leaderboard tbody tr:visible").count() == 2
    assert "runs=0%2C1" in page.url


def test_of_thirteen_systems_a_hidden_one_is_in_no_plot(
    make_run: MakeRun, page: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    """Intervals, trade-off, lengths and tags; the 13th has the colour of the first. All fit any screen."""
    items = [Item(str(n), None, ("a dog on grass",), ("pet", f"tag {n % 2}")) for n in range(20)]
    runs = [
        make_run(
            f"system {system}",
            {item.id: "a dog" + " and so on" * system for item in items},
            {"CIDEr": [0.1 + system / 20 + number / 100 for number in range(20)]},
            items,
            images_per_second=1.0 + system,
        )
        for system in range(13)
    ]
    open_page(page, write_report(compare(runs), tmp_path / "report.html"))
    drawn = "(all) => [...new Set(all.map((one) => one.dataset.run))]"
    figures = page.locator("figure.plot:has([data-run])")
    assert figures.count() == 4
    for chosen in ("0,1,2,3,4,5,6,7,8,9,10,11,12", "1,12"):
        page.evaluate("chosen => { location.hash = `runs=${chosen}` }", chosen)
        expect(page.locator("table.leaderboard tbody tr:visible")).to_have_count(len(chosen.split(",")))
        for number in range(4):
            seen_here = figures.nth(number).locator("[data-run]:visible").evaluate_all(drawn)
            assert sorted(seen_here, key=int) == chosen.split(","), number
    assert page.locator("table.breakdown thead th:visible").count() == 4  # tag, images, and two systems
    page.evaluate("location.hash = 'runs=0,1,2,3,4,5,6,7,8,9,10,11,12'")
    expect(page.locator("table.leaderboard tbody tr:visible")).to_have_count(13)
    for width in (360, 1000, 2560):
        page.set_viewport_size({"width": width, "height": 800})
        for view in ("matrix", "grid", "cards"):
            page.click(f"[data-view={view}]")
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (width, view)


def test_a_lower_score_gains_where_lower_is_better(
    make_run: MakeRun, page: Any, open_page: OpenPage, tmp_path: Path
) -> None:
    said = {"0": "a", "1": "b", "2": "c"}
    runs = [
        make_run("low", said, {"CHAIR": [0.1, 0.2, 0.3]}, higher_is_better=False),
        make_run("high", said, {"CHAIR": [0.2, 0.9, 0.25]}, higher_is_better=False),
    ]
    open_page(page, write_report(compare(runs), tmp_path / "report.html"))
    assert page.locator("article.card .number b").all_text_contents() == ["10.0", "20.0", "25.0"]
    page.select_option("#order", "gain")
    assert seen(page) == ["1", "0", "2"]
    assert "CHAIR −70.0: low against high" in page.inner_text("article.card:first-child")
    page.select_option("#order", "worst")
    assert seen(page) == ["1", "2", "0"]
    label = page.get_attribute("#scatter canvas", "aria-label")
    assert "low has the better CHAIR on 2 images and high on 1" in label
    page.click("[data-view=grid]")
    better = page.locator(".thumbnail").evaluate_all("all => all.map((one) => one.classList[2])")
    assert better == ["run-0", "run-1", "run-0"]


def test_three_views_of_the_same_images(page: Any, open_page: OpenPage, report: Path) -> None:
    open_page(page, report, "#show=tag+0&order=loss")
    assert seen(page) == ["1"]
    page.click("[data-view=matrix]")
    assert page.locator(".matrix thead th").all_inner_texts() == ["Image", "good", "bad"]
    cells = page.locator(".matrix tbody td").all_inner_texts()
    assert [cell.split("\n")[0] for cell in cells] == ["a lot of fresh green grass", "grass"]
    page.select_option("#show", "all")
    sticky = "(selector) => getComputedStyle(document.querySelector(selector)).position"
    assert page.evaluate(sticky, ".matrix thead th") == page.evaluate(sticky, ".matrix tbody th") == "sticky"
    page.click("[data-view=grid]")
    values = page.locator(".thumbnail .value").all_inner_texts()
    assert values == ["+50.0", "+190.0", "–"]
    tints = page.locator(".thumbnail").evaluate_all(
        "all => all.map((one) => one.style.getPropertyValue('--tint'))"
    )
    assert tints == ["70%", "70%", "0%"]
    page.locator(".thumbnail").nth(1).click()
    assert page.inner_text("#lightbox h2") == "1"
    # What was chosen stands in the address, and is there again after a reload.
    address = page.url
    assert {"view=grid", "order=loss", "image=1"} <= set(address.partition("#")[2].split("&"))
    page.goto("about:blank")
    open_page(page, Path(address.removeprefix("file://").partition("#")[0]), "#" + address.partition("#")[2])
    assert page.inner_text("#lightbox h2") == "1"
    page.keyboard.press("Escape")
    assert page.locator(".thumbnail").count() == 3
    assert "image=" not in page.url


def test_scores_and_columns_can_be_hidden(page: Any, open_page: OpenPage, report: Path) -> None:
    open_page(page, report)
    heads = page.locator("table.leaderboard thead th:visible")
    assert heads.all_inner_texts() == ["run", "rank", "CIDEr", "METEOR", "coverage", "images/s"]
    page.click("#columns summary")
    page.click("#columns label:has-text('METEOR')")
    page.keyboard.press("Escape")
    assert "METEOR" not in "".join(heads.all_inner_texts())
    assert page.locator("table.leaderboard tbody tr:first-child td:visible").count() == 4
    page.click("#scores summary")
    page.click("#scores label:has-text('CIDEr')")
    assert set(page.locator("article.card .metric-name").all_text_contents()) == {"METEOR"}
    # An interval of every score is there without a pointer.
    first = page.locator("table.leaderboard .interval:visible").all_inner_texts()[0]
    assert first.endswith("100.0–200.0")


def test_words_that_no_reference_has_are_marked(page: Any, open_page: OpenPage, report: Path) -> None:
    """By default; a word that any reference has is right, and function words say nothing."""
    open_page(page, report)
    assert page.input_value("#mark") == "references"
    card = page.locator("article.card").nth(0)
    assert card.locator("mark").count() == 0
    assert card.locator(".lacks").count() == 0
    marked = page.evaluate(
        "inNone('a Dog and a red bus with its roof on grass', ['a dog runs', 'the bus', 'Grass'])"
    )
    assert marked == [[12, 15], [29, 33]]  # "red", "roof"
    assert page.evaluate("inNone('a dog', [])") == [[2, 5]]
    page.select_option("#mark", "reference")
    assert card.locator("mark").all_text_contents() == []  # all words of "a red wall" are in a reference
    assert "reference 2 also says bricks" in card.inner_text()
    assert page.locator("article.card").nth(1).locator("mark").all_text_contents() == [
        *("lot", "fresh green grass"),
        "grass",
    ]
    page.select_option("#mark", label="what bad lacks")
    assert card.locator("mark").all_text_contents() == ["red"]
    page.select_option("#mark", "nothing")
    assert page.locator("#list mark").count() == 0


def test_the_words_that_only_one_of_two_texts_says(page: Any, open_page: OpenPage, report: Path) -> None:
    open_page(page, report)

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
    assert page.evaluate(
        "['short', 'instructblip_vicuna7b_zeroshot'].map((name) => shortened(name, 20))"
    ) == [
        "short",
        "instructbli…zeroshot",
    ]


def test_an_image_has_an_address(page: Any, open_page: OpenPage, report: Path) -> None:
    open_page(page, report, "#image=1")
    title = page.locator("#lightbox h2")
    assert title.inner_text() == "1"
    page.keyboard.press("Escape")
    assert not page.is_visible("#lightbox")
    # The browser tells the page afterwards that the dialog was closed: then the list is where the reader was.
    page.wait_for_function("document.activeElement.dataset.image === '1'")
    page.fill("#search", "red wall of")
    page.select_option("#show", "tag 0")
    assert seen(page) == ["1"]
    page.evaluate("location.hash = 'image=2'")  # not among those found: they are all shown again
    expect(title).to_have_text("2")
    assert seen(page) == ["0", "1", "2"]
    page.click("[data-close]")
    page.click("article.card:nth-child(1) h3 a")
    assert title.inner_text() == "0"
    assert page.url.endswith("#image=0")
    for odd in (
        "image=nowhere",
        "image=50%",
        "%",
        "image",
        "&&=",
        "view=x&order=nothing&show=tag%2099&runs=7,x&one=9",
    ):
        page.evaluate("odd => { location.hash = odd }", odd)
        expect(page.locator("#lightbox")).not_to_be_visible()
        assert "too old" not in page.inner_text("#list"), odd


def test_the_large_picture_is_led_by_keys(
    page: Any, open_page: OpenPage, report: Path, pictures: list[Path]
) -> None:
    open_page(page, report)
    page.locator("article.card .opener").first.click()
    title, stage = page.locator("#lightbox h2"), page.locator("#lightbox .stage")
    for key, expected in (
        ("j", "1"),
        ("ArrowRight", "2"),
        ("j", "2"),
        ("K", "1"),
        ("ArrowLeft", "0"),
        ("k", "0"),
    ):
        page.keyboard.press(key)
        assert title.inner_text() == expected, key
        assert page.url.endswith(f"#image={expected}")
    assert page.inner_text("#lightbox output") == "1 of 3"
    width = stage.locator("img").bounding_box()["width"]
    assert width >= 640
    page.keyboard.press("+")
    assert abs(stage.locator("img").bounding_box()["width"] - 1.5 * width) < 2
    page.keyboard.press("0")
    assert stage.locator("img").bounding_box()["width"] == width
    stage.click(position={"x": 100, "y": stage.bounding_box()["height"] / 2})
    assert stage.locator("img").bounding_box()["width"] > 2 * width
    assert stage.evaluate("(stage) => stage.scrollLeft") < 200  # what was clicked on is in the middle
    content = page.inner_text("#lightbox .content")
    for text in ("a red wall", "a wall", "reference 0", "a red wall of bricks", "METEOR", "30.0", "wall"):
        assert text in content
    page.click("[data-step='1']")
    page.click("[data-step='1']")
    assert "refused no dogs" in page.inner_text("#lightbox .content")


def test_marks_are_kept_exported_and_read_back(
    page: Any, open_page: OpenPage, report: Path, tmp_path: Path
) -> None:
    open_page(page, report, "#image=0")
    lines = page.locator("#lightbox .answers li")
    lines.nth(0).locator("button.good").click()
    lines.nth(1).locator("button.bad").click()
    page.fill("#lightbox li:nth-child(2) input", "which wall? <b>")
    page.keyboard.press("j")  # is typed, and leads nowhere
    page.keyboard.press("Enter")
    assert page.inner_text("#lightbox h2") == "0"
    lines.nth(0).locator("button.bad").click()
    lines.nth(0).locator("button.good").click()
    page.keyboard.press("Escape")
    assert page.locator("article.card .hand").all_inner_texts() == ["good", "bad: which wall? <b>j"]
    page.reload()
    page.wait_for_selector("article.card .hand.bad")
    page.select_option("#show", "marked")
    assert seen(page) == ["0"]
    page.click("#exports summary")
    assert page.inner_text("#tally") == "Marked by hand: 1 good, 1 bad"

    def exported(what: str) -> Path:
        with page.expect_download() as download:
            page.click(f"[data-export={what}]")
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path

    marks = [
        HandMark("good", "0", "good", "", "a red wall"),
        HandMark("bad", "0", "bad", "which wall? <b>j", "a wall"),
    ]
    assert read_marks(exported("marks")) == marks
    page.select_option("#show", "tag 1")
    rows = json.loads(exported("json").read_text())
    assert [(row["image"], row["run"], row["CIDEr"], row["mark"]) for row in rows] == [
        ("0", "good", 100, "good"),
        ("0", "bad", 50, "bad"),
        ("1", "good", 200, ""),
        ("1", "bad", 10, ""),
    ]
    table = list(csv.DictReader(io.StringIO(exported("csv").read_text("utf-8-sig"))))
    assert table[1]["references"] == "reference 0 | a red wall of bricks"
    assert [row["caption"] for row in table] == [
        "a red wall",
        "a wall",
        "a lot of fresh green grass",
        "grass",
    ]
    formulas = page.evaluate("['=1+1', ' @x', '-3.5', 'a\"b', 'a\\nb', ['x', 'y'], null].map(csvCell)")
    assert formulas == ["'=1+1", "' @x", "-3.5", '"a""b"', '"a\nb"', "x | y", ""]


def test_marks_of_a_file_lie_below_those_of_the_browser(
    page: Any, open_page: OpenPage, make_run: MakeRun, tmp_path: Path
) -> None:
    runs = [make_run("run", {"0": "a", "1": "b"}, {"CIDEr": [0.1, 0.2]}, dataset_digest="of marks")]
    marks = [HandMark("run", "0", "good", "", "a"), HandMark("run", "1", "good", "", "b")]
    open_page(page, write_report(compare(runs), tmp_path / "report.html", marks=marks), "#image=0")
    page.click("#lightbox button.good")  # takes the mark away
    page.keyboard.press("Escape")
    assert page.locator("article.card .hand").count() == 1
    assert page.evaluate("document.getElementById('tally').textContent") == "Marked by hand: 1 good, 0 bad"


def test_runs_that_say_the_same_share_a_mark(
    page: Any, open_page: OpenPage, make_run: MakeRun, tmp_path: Path
) -> None:
    """Also marks that an earlier version kept in the browser, by run and image."""
    said = {"one": ("a dog", "a cat"), "two": ("a dog", "a tiger")}
    runs = [
        make_run(name, dict(zip("01", texts, strict=True)), {"CIDEr": [0.1, 0.2]}, dataset_digest="of pets")
        for name, texts in said.items()
    ]
    output = write_report(compare(runs), tmp_path / "report.html")
    open_page(page, output)
    earlier = {'["two","1"]': {"mark": "bad", "note": "a cat", "caption": "a tiger"}}
    page.evaluate("kept => localStorage.setItem('evaluator marks of pets', kept)", json.dumps(earlier))
    page.goto("about:blank")
    open_page(page, output, "#image=0")
    lines = page.locator("#lightbox .answers li")
    lines.nth(0).locator("button.good").click()
    assert lines.nth(1).locator("button.good").get_attribute("aria-pressed") == "true"
    page.keyboard.press("Escape")
    assert page.locator("article.card .hand").all_inner_texts() == ["good", "good", "bad: a cat"]
    page.reload()
    page.wait_for_selector("article.card .hand.bad")
    assert page.locator("article.card .hand").all_inner_texts() == ["good", "good", "bad: a cat"]
    assert page.evaluate("document.getElementById('tally').textContent") == "Marked by hand: 2 good, 1 bad"


def test_the_first_screen_shows_where_the_first_two_differ(
    page: Any, open_page: OpenPage, report: Path
) -> None:
    page.set_viewport_size({"width": 1600, "height": 1000})
    open_page(page, report)
    spotlight = page.locator("#spotlight")
    assert "a lot of fresh green grass" in spotlight.inner_text()  # 190 points; the other 50
    assert spotlight.locator("mark").all_text_contents() == ["lot", "fresh green grass", "grass"]
    spotlight.locator("[data-turn='1']").click()
    assert spotlight.locator(".place").inner_text() == "2 of 2"
    assert spotlight.locator("img").bounding_box()["width"] >= 500
    for part in ("#summary", "table.leaderboard tbody tr:last-child", "#spotlight .answers"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= 1000, part
    spotlight.locator(".opener").click()
    assert page.inner_text("#lightbox h2") == "0"


def test_a_dot_of_the_plot_leads_to_its_image(page: Any, open_page: OpenPage, report: Path) -> None:
    open_page(page, report)
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
    expect(page).to_have_url(re.compile("#image=1$"))


def test_the_table_sorts_and_explains_itself(page: Any, open_page: OpenPage, report: Path) -> None:
    open_page(page, report)
    first = page.locator("table.leaderboard tbody tr:first-child th")
    assert first.inner_text() == "good"
    page.click("table.leaderboard thead th:has-text('CIDEr') .sort")
    assert first.inner_text() == "bad"
    page.focus("table.leaderboard thead th:has-text('CIDEr') .sort")
    page.keyboard.press("Enter")
    assert first.inner_text() == "good"
    page.keyboard.press("Tab")  # to its question mark
    page.keyboard.press("Enter")
    explained = page.locator(".help-text:popover-open").inner_text()
    assert "shares more phrases with the references" in explained
    assert "Agreement with people: 43.9" in explained
    page.keyboard.press("Escape")
    assert page.locator(".help-text:popover-open").count() == 0


def test_pictures_have_the_chosen_size(
    page: Any, open_page: OpenPage, make_run: MakeRun, tmp_path: Path
) -> None:
    Image.new("RGB", (1500, 1000), "red").save(tmp_path / "large.png")
    run = make_run("run", {"1": "a"}, {"CIDEr": [0.5]}, items=[Item("1", tmp_path / "large.png", ("r",))])
    output = write_report(compare([run]), tmp_path / "report.html", pictures=1, picture_width=1200)
    open_page(page, output, "#image=1")
    assert page.evaluate("document.querySelector('.stage img').decode()") is None
    assert page.evaluate("document.querySelector('.stage img').naturalWidth") == 1200


# Holds back what a page unpacks until `unpack()` is called.
HELD = """
const json = Response.prototype.json;
const held = new Promise((done) => (window.unpack = done));
Response.prototype.json = async function () { await held; return json.call(this); };
"""


@pytest.fixture
def many(make_run: MakeRun, tmp_path: Path) -> Path:
    """The report of two runs on 90 images; they differ most on the last."""
    said = {str(number): f"a dog and {number} cats" for number in range(90)}
    runs = [
        make_run("one", said, {"CIDEr": [0.5 + number / 1000 for number in range(90)]}),
        make_run("two", said, {"CIDEr": [0.5] * 90}),
    ]
    return write_report(compare(runs), tmp_path / "report.html")


def test_the_first_images_are_seen_before_the_others_are_unpacked(page: Any, many: Path) -> None:
    page.add_init_script(HELD)
    page.goto(many.as_uri())
    expect(page.locator("#shown")).to_have_text("90 shown")
    assert seen(page) == [str(number) for number in range(10)]
    assert page.locator("#spotlight .caption").first.inner_text() == "a dog and 89 cats"
    page.locator("[data-turn='1']").click()
    assert page.locator("#spotlight .caption").first.inner_text() == "a dog and 88 cats"
    page.click("[data-view=matrix]")
    assert page.locator(".matrix tbody th").all_inner_texts() == [str(number) for number in range(20)]
    page.locator("#plots").scroll_into_view_if_needed()
    page.locator(".matrix-box").evaluate("(box) => box.scrollTo(0, box.scrollHeight)")
    page.evaluate("unpack()")
    expect(page.locator(".matrix tbody th").last).to_have_text("89")
    expect(page.locator("#scatter output")).to_contain_text("one has the better CIDEr on 89 images")
    expect(page.locator(".questions .count")).to_have_count(4)


TINTS = ["0.0", *(f"+{number / 10:.1f}" for number in range(1, 60))]


@pytest.mark.parametrize(
    ("fragment", "ask", "answer", "expected"),
    [
        ("", lambda page: page.fill("#search", "77 c"), "#list h3", ["77"]),
        ("", lambda page: page.select_option("#show", "first"), "#list h3", [str(n) for n in range(1, 11)]),
        ("", lambda page: page.select_option("#order", "gain"), "#list h3", [str(89 - n) for n in range(10)]),
        ("", lambda page: page.click("[data-view=grid]"), "#list .value", TINTS),
        ("", lambda page: page.locator("#list .opener").nth(2).click(), "#lightbox h2", ["2"]),
        ("", lambda page: page.locator("#spotlight .opener").click(), "#lightbox output", ["90 of 90"]),
        ("#search=77+c", lambda page: None, "#list h3", ["77"]),
        ("#image=77", lambda page: None, "#lightbox output", ["78 of 90"]),
    ],
    ids=["search", "question", "order", "grid", "picture", "spotlight", "address", "address-of-image"],
)
def test_what_is_asked_at_once_is_answered_in_full(
    page: Any, many: Path, fragment: str, ask: Callable[[Any], None], answer: str, expected: list[str]
) -> None:
    """It waits until all images are unpacked, and the page says so."""
    page.add_init_script(HELD)
    page.goto(many.as_uri() + fragment)
    page.locator("form.controls").wait_for()
    ask(page)
    expect(page.locator("#shown")).to_have_text("unpacking all images …")
    assert page.get_attribute("#list", "aria-busy") == "true"
    page.evaluate("unpack()")
    expect(page.locator(answer)).to_have_text(expected)
    expect(page.locator("#list:not([aria-busy])")).to_be_attached()
    assert re.fullmatch("90 shown|(1|89) of 90 match", page.inner_text("#shown"))


def test_a_browser_that_cannot_unpack_says_so(browser: Any, many: Path) -> None:
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(many.as_uri())
    expect(page.locator("#list")).to_contain_text("too old to show the images")
    assert not page.is_visible("form.controls")
    page.close()
