"""Marks by hand in the report: they count for the captions that they were given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluator.comparison.compare import compare
from evaluator.files.hand_marks import HandMark
from evaluator.report.page.html import write_report

MakeRun = Callable[..., Path]
ReadPage = Callable[[Path], Any]


def test_the_page_shows_them_and_a_tally(
    make_run: MakeRun, read_page: ReadPage, read_gallery: ReadPage, tmp_path: Path
) -> None:
    runs = [
        make_run(name, {"1": "a dog", "2": second}, {"CIDEr": [score] * 2})
        for name, second, score in (("git", "a \x07cat", 0.5), ("blip", "a mouse", 0.4))
    ]
    marks = [
        HandMark("git", "1", "bad", "", "a dog"),
        HandMark("a name it had", "1", "good", "", "a dog"),  # the last one counts, for each run that says it
        HandMark("git", "2", "bad", "no <b>cat</b>", "a ␇cat"),  # as the page shows it
        HandMark("blip", "2", "bad", "", "what it said last week"),
        HandMark("blip", "9", "bad", "", "a dog"),
    ]
    output = write_report(compare(runs), tmp_path / "report.html", marks=marks)
    assert read_gallery(output)["marks"] == [
        [0, 0, "good", ""],
        [0, 1, "bad", "no <b>cat</b>"],
        [1, 0, "good", ""],
    ]
    (table,) = read_page(output).find("table")
    column = [head.words for head in table.find("thead")[0].find("th")].index("by hand") - 1
    cells = [row.find("td")[column].words for row in table.find("tbody")[0].find("tr")]
    assert cells == ["1 good, 1 bad", "1 good, 0 bad"]


def test_by_the_command(make_run: MakeRun, read_gallery: ReadPage, command: Any, tmp_path: Path) -> None:
    make_run("git", {"1": "a dog"}, {"CIDEr": [0.5]})
    mark = {"run": "git", "image": "1", "mark": "good", "note": "", "caption": "a dog"}
    (tmp_path / "marks.jsonl").write_text(json.dumps(mark) + "\n")
    named = ["--label", "git=My model", "--marks", "marks.jsonl", "--pictures", "3x200"]
    done = command("report", "git", *named)
    assert done.returncode == 0, done.stderr
    document = read_gallery(tmp_path / "report.html")
    assert document["runs"] == ["My model"]
    assert document["names"] == ["git"]
    assert document["marks"] == [[0, 0, "good", ""]]
    for wrong, problem in (
        (["--label", "git"], "is not RUN=NAME"),
        (["--label", "gti=x"], "'gti' is the name of no run"),
        (["--pictures", "many"], "'many' is not a number of pictures"),
        (["--pictures", "3x9"], "a width in pixels from 64 to 8192"),
    ):
        done = command("report", "git", *wrong)
        assert done.returncode == 2
        assert problem in " ".join(done.stderr.split())
