"""Votes beside the scores: a column of the leaderboard and of the site, and a section of the report."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.arena.votes import Vote, append_vote, caption_digest, read_votes
from evaluator.comparison.compare import compare
from evaluator.core import Item
from evaluator.report.page.html import write_report
from evaluator.report.site import add_to_site

ReadPage = Callable[[Path], Any]
HOSTILE = "<script>alert(1)</script>"
SAID = {
    "ours": {"0": "a red wall", "1": "fresh grass", "2": f"a sky {HOSTILE}"},
    "theirs": {"0": "a wall", "1": "a lawn", "2": "clouds"},
}


@pytest.fixture
def voted(make_run: Callable[..., Path], pictures: list[Path], tmp_path: Path) -> list[Path]:
    """Two runs on three images. Three people prefer ours five times to three; a judge prefers theirs."""
    items = [Item(str(n), path, (f"reference {n}",)) for n, path in enumerate(pictures[:3])]
    runs = [
        make_run(f"runs/{name}", said, {"CIDEr": [number + 0.5] * 3}, items)
        for number, (name, said) in enumerate(SAID.items())
    ]

    def add(path: str, number: int, winner: Any, rater: str, **more: Any) -> None:
        said = [caption_digest(SAID[name][str(number)]) for name in SAID]
        vote = Vote(str(number), "ours", "theirs", winner, rater, "a", "2026-05-04", "", *said)
        append_vote(tmp_path / "runs" / path, Vote(**{**vars(vote), **more}))

    told = (("anna k.", "aab"), ("ben", "aba"), ("cem", "ab"))
    for rater, winners in told:
        for number, letter in enumerate(winners):
            add("votes.jsonl", number, letter, rater, reason=f"too plain {HOSTILE}" if letter == "b" else "")
    for number in range(3):
        for left in ("a", "b"):
            add("votes-gemini.jsonl", number, "b", "gemini", left=left, by="judge")
    return runs


@pytest.mark.parametrize("form", ["markdown", "latex", "html", "csv", "json"])
def test_the_leaderboard_has_a_column_for_who_voted(
    voted: list[Path], command: Callable[..., Any], form: str
) -> None:
    done = command("leaderboard", *voted, "--format", form)
    assert done.returncode == 0, done.stderr
    if form == "json":
        ours = next(run for run in json.loads(done.stdout)["measured"] if run["name"] == "ours")
        people, judge = ours["ratings"]["people"], ours["ratings"]["gemini"]
        assert (people["votes"], people["won"], judge["votes"], judge["won"]) == (8, 5, 3, 0)
        assert people["low"] < people["rating"] < people["high"]
    elif form == "csv":
        rows = {row["name"]: row for row in csv.DictReader(io.StringIO(done.stdout))}
        assert rows["ours"]["people's rating votes"] == "8"
        assert float(rows["ours"]["people's rating"]) > 1000 > float(rows["ours"]["gemini's rating"])
    elif form == "latex":
        assert "& people's rating & gemini's rating \\\\" in done.stdout
    else:
        heading = "people&#x27;s rating" if form == "html" else "people's rating"
        assert heading in done.stdout
        assert "8 votes" in done.stdout
        assert "by 8 votes on 3 images by 3 raters." in done.stdout


def test_votes_that_are_of_no_run_here_fail_where_they_were_named(
    voted: list[Path], command: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "other.csv").write_text("image,a,b,winner\n0,old,older,a\n")
    done = command("leaderboard", *voted, "--votes", "other.csv")
    assert done.returncode == 2
    assert "The votes are on old and older, and the runs are called ours and theirs" in done.stderr
    (tmp_path / "other.csv").write_text("image,a,b,winner\n0,ours,older,a\n")
    done = command("leaderboard", *voted, "--votes", "other.csv", "--format", "csv")
    assert done.returncode == 0
    assert "no vote is on theirs, and no run here is called older" in done.stderr


def test_the_report_has_a_section_about_votes(voted: list[Path], read_page: ReadPage, tmp_path: Path) -> None:
    page = read_page(write_report(compare(voted), tmp_path / "report.html"))
    (board,) = page.find("table", "leaderboard")
    heads = [head.words for head in board.find("thead")[0].find("th")]
    assert heads.index("people's rating") == heads.index("gemini's rating") - 1
    (section,) = page.find("section", "votes")
    assert [heading.words for heading in section.find("h3")] == ["By people", "By the judge gemini"]
    assert [caption.words for caption in section.find("caption")][1::2] == [
        "Bradley-Terry ratings: 8 votes, 3 images, 3 raters",
        "Bradley-Terry ratings by the judge gemini: 3 votes, 3 images",
    ]
    assert "The judge says what people say: 38 %" in section.words
    # People disagree on two questions, and see the picture, both captions and the reasons.
    disputed = section.find("li")[-2:]
    assert [each.words.count("too plain <script>") for each in disputed] == [1, 2]
    assert all(each.find("img") and "ours, " in each.words for each in disputed)
    assert "ours, 1 of 2 votes: a sky <script>alert(1)</script>" in disputed[0].words
    assert not section.find("script")


def test_a_report_without_votes_has_no_section(
    voted: list[Path], read_page: ReadPage, tmp_path: Path
) -> None:
    page = read_page(write_report(compare(voted), tmp_path / "report.html", votes=[]))
    assert not page.find("section", "votes")
    assert "rating" not in page.find("table", "leaderboard")[0].words


def test_a_site_keeps_the_votes_without_names(voted: list[Path], read_page: ReadPage, tmp_path: Path) -> None:
    site = tmp_path / "site"
    add_to_site(voted, site)
    assert no_page_says(site, "anna k.", "too plain")
    kept, _ = read_votes([site / "votes.jsonl"])
    assert {vote.rater for vote in kept} == {"1", "2", "3", "gemini"}
    assert {vote.reason for vote in kept} == {""}
    shutil.rmtree(tmp_path / "runs")
    index = add_to_site([], site)
    (board,) = read_page(index).find("table", "leaderboard")
    assert "8 votes" in board.words
    assert "people's rating" in board.words
    assert read_page(site / "compare.html").find("ol", "disagreements")
    assert no_page_says(site, "anna k.", "too plain")


def no_page_says(site: Path, *texts: str) -> bool:
    return not any(text in path.read_text() for path in site.glob("*.*") for text in texts)


def test_the_section_in_a_browser(voted: list[Path], browser: Any, tmp_path: Path) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    report = write_report(compare(voted), tmp_path / "report.html")
    for width, scheme in ((1280, "light"), (360, "dark")):
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page.goto(report.as_uri())
        page.locator("#list:not([aria-busy]):not(:empty)").wait_for(state="attached")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert not [one["id"] for one in axe.Axe().run(page).response["violations"]]
        assert page.locator(".votes img").first.evaluate("(image) => image.naturalWidth") > 0
        page.locator(".votes a").first.click()
        page.locator("#lightbox").wait_for(state="visible")
        page.close()
