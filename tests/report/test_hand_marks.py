"""Marks that the report exported are read back, and count for the captions that they were given."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.comparison.compare import compare
from evaluator.core.errors import DataError
from evaluator.report.hand_marks import HandMark, read_marks
from evaluator.report.page.html import write_report

MakeRun = Callable[..., Path]
ReadPage = Callable[[Path], Any]


def line(**changes: Any) -> str:
    return json.dumps(
        {"run": "git", "image": "1", "mark": "good", "note": "", "caption": "a dog"} | changes,
        ensure_ascii=False,
    )


def test_a_line_is_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "marks.jsonl"
    lines = [line(), "", line(image=42, mark="", note="why\u2028not", caption="a\nb")]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    assert read_marks(path) == [
        HandMark("git", "1", "good", "", "a dog"),
        HandMark("git", "42", "", "why\u2028not", "a\nb"),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (line(mark="great"), "line 1: a mark is good or bad, found 'great'"),
        (line() + "\n" + line(note=None), "line 2: note: expected text, found null"),
        ("{]", "line 1, column 2"),
        ("[1]", "line 1"),
        ('{"run": "git"}', "'image' is missing"),
        (line(image=""), "the image id is empty"),
    ],
)
def test_another_file_says_where_it_is_wrong(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "marks.jsonl"
    path.write_text(content)
    with pytest.raises(DataError) as found:
        read_marks(path)
    assert problem in str(found.value)


def test_the_page_shows_them_and_a_tally(
    make_run: MakeRun, read_page: ReadPage, read_gallery: ReadPage, tmp_path: Path
) -> None:
    runs = [
        make_run(name, {"1": "a dog", "2": "a \x07cat"}, {"CIDEr": [score] * 2})
        for name, score in (("git", 0.5), ("blip", 0.4))
    ]
    marks = [
        HandMark("git", "1", "good", "", "a dog"),
        HandMark("git", "2", "bad", "no <b>cat</b>", "a ␇cat"),  # as the page shows it
        HandMark("blip", "1", "bad", "", "what it said last week"),
        HandMark("blip", "9", "bad", "", "a dog"),
        HandMark("other", "1", "bad", "", "a dog"),
    ]
    output = write_report(compare(runs), tmp_path / "report.html", marks=marks)
    assert read_gallery(output)["marks"] == [[0, 0, "good", ""], [0, 1, "bad", "no <b>cat</b>"]]
    (table,) = read_page(output).find("table")
    column = [head.words for head in table.find("thead")[0].find("th")].index("by hand") - 1
    cells = [row.find("td")[column].words for row in table.find("tbody")[0].find("tr")]
    assert cells == ["1 good, 1 bad", "0 good, 0 bad"]


def test_by_the_command(make_run: MakeRun, read_gallery: ReadPage, command: Any, tmp_path: Path) -> None:
    make_run("git", {"1": "a dog"}, {"CIDEr": [0.5]})
    (tmp_path / "marks.jsonl").write_text(line() + "\n")
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
