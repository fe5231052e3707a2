"""One table in every format: the same cells, and no text that breaks out of its cell."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from evaluator.report.text.table import MARK, Cell, TextTable

TABLE = TextTable(
    ["run", "rank", "CIDEr"],
    [
        [Cell("a_b|c"), Cell("1–2"), Cell("81.0", "79.0–83.0", bold=True)],
        [Cell("d & 5%"), Cell("1–2"), Cell("79.2", "77.2–81.2", "p = 0.1", marked=True)],
        [Cell("<paper>", italic=True), Cell(), Cell("131.4", italic=True)],
    ],
    "scores in points",
    rule_before=2,
)
TEXTS = st.text(st.sampled_from("ab|<>&*_`[]\\{}%$#~^–\n\r\u2028\x0b "), min_size=1, max_size=12)


def test_markdown() -> None:
    assert TABLE.markdown().splitlines() == [
        "| run | rank | CIDEr |",
        "| --- | ---: | ---: |",
        r"| a_b\|c | 1–2 | **81.0** (79.0–83.0) |",
        f"| d & 5% | 1–2 | 79.2 {MARK} (77.2–81.2) p = 0.1 |",
        "| *&lt;paper>* |  | *131.4* |",
    ]


def test_latex() -> None:
    assert TABLE.latex().splitlines() == [
        r"\begin{tabular}{lrr}",
        r"\toprule",
        r"run & rank & CIDEr \\",
        r"\midrule",
        r"a\_b|c & 1--2 & \textbf{81.0} (79.0--83.0) \\",
        r"d \& 5\% & 1--2 & 79.2$^\dagger$ (77.2--81.2) p = 0.1 \\",
        r"\midrule",
        r"\textit{<paper>} &  & \textit{131.4} \\",
        r"\bottomrule",
        r"\end{tabular}",
    ]


def test_html() -> None:
    lines = TABLE.html().splitlines()
    assert lines[:2] == ["<table>", "<caption>scores in points</caption>"]
    assert lines[5] == (
        '<tr><th scope="row">d &amp; 5%</th><td>1–2</td>'
        f"<td>79.2 {MARK} <small>77.2–81.2</small> p = 0.1</td></tr>"
    )
    assert lines[6] == '<tr><th scope="row"><i>&lt;paper&gt;</i></th><td></td><td><i>131.4</i></td></tr>'


def test_csv_holds_the_texts_alone() -> None:
    assert list(csv.reader(io.StringIO(TABLE.csv()))) == [
        ["run", "rank", "CIDEr"],
        ["a_b|c", "1–2", "81.0"],
        ["d & 5%", "1–2", "79.2"],
        ["<paper>", "", "131.4"],
    ]


def test_the_terminal_shows_text_and_no_markup_of_rich() -> None:
    console = Console(file=io.StringIO(), width=80)
    console.print(TextTable(["[red]"], [[Cell("[bold]x[/bold]", "1–2", "p = 1", marked=True)]], "[i]"))
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    for expected in ("[red]", f"[bold]x[/bold] {MARK}", "(1–2)", "p = 1", "[i]"):
        assert expected in shown


def test_a_terminal_that_is_too_narrow_shows_every_number_whole() -> None:
    values = [f"{number}00.0" for number in range(1, 10)]
    headings = ["model", *(f"metric {value}" for value in values)]
    table = TextTable(headings, [[Cell("blip"), *map(Cell, values)]], "points")
    console = Console(file=io.StringIO(), width=50)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "…" not in shown
    assert shown.count("points") == 1
    assert shown.count("blip") == shown.count("model") > 1
    assert all(shown.count(text) == 1 for text in headings[1:])
    assert max(map(len, shown.splitlines())) <= 50


def printed(table: TextTable, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_narrow_terminal_begins_with_what_matters(width: int) -> None:
    metrics = ["BLEU-1", "BLEU-4", "METEOR", "CIDEr", "SPICE", "CLIPScore"]
    rows = [[Cell("git"), Cell("1"), *(Cell("145.6", "143.6–147.6") for _ in metrics), Cell("100.00 %")]]
    table = TextTable(["model", "rank", *metrics, "coverage"], rows, first=("rank", "CIDEr", "coverage"))
    first, *others = printed(table, width).split("┏")[1:]
    assert re.findall(r"[\w-]+", first.splitlines()[1])[:4] == ["model", "rank", "CIDEr", "coverage"]
    assert all(others[0].count(metric) + first.count(metric) == 1 for metric in metrics)
    shown = printed(table, 200)
    assert re.findall(r"[\w-]+", shown.splitlines()[1]) == ["model", "rank", *metrics, "coverage"]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=12), st.integers(1, 90), st.integers(60, 130))
def test_no_number_is_cut_and_no_line_is_too_long(lengths: list[int], name: int, width: int) -> None:
    numbers = [f"{index:0{length}d}" for index, length in enumerate(lengths, 1)]
    table = TextTable(["model", *("m" for _ in numbers)], [[Cell("n" * name), *map(Cell, numbers)]])
    shown = printed(table, width)
    words = re.findall(r"\d+", shown)
    assert words == numbers
    assert shown.count("n") % name == 0
    assert max(map(len, shown.splitlines())) <= width


def test_a_long_name_goes_on_in_the_next_line_before_a_number_has_to_move() -> None:
    numbers = ["1" * 10] * 5
    table = TextTable(["model", *numbers], [[Cell("n" * 40), *map(Cell, numbers)]])
    assert printed(table, 90).count("┏") == 1


@given(TEXTS)
def test_no_text_ends_its_cell_in_latex(text: str) -> None:
    lines = TextTable(["a", "b"], [[Cell(text), Cell("end")]]).latex().split("\n")
    assert len(lines) == len("\n".join(lines).splitlines()) == 7
    assert len(re.findall(r"(?<!\\)&", lines[4])) == 1


class Tags(HTMLParser):
    """The tags of a text, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@given(TEXTS)
def test_no_text_is_markup_in_html(text: str) -> None:
    table = Tags(TextTable(["a"], [[Cell(text)]]).html())
    assert table.tags == ["table", "thead", "tr", "th", "tbody", "tr", "th"]
    assert text in table.text


@pytest.mark.parametrize("form", ["markdown", "latex", "html"])
def test_an_empty_cell_has_no_emphasis(form: str) -> None:
    empty = TextTable(["a", "b"], [[Cell("x"), Cell("", bold=True, italic=True, code=True)]])
    plain = TextTable(["a", "b"], [[Cell("x"), Cell()]])
    assert getattr(empty, form)() == getattr(plain, form)()
