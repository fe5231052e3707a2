"""Hostile names, metrics and captions in every format: they are text, and nothing else."""

from __future__ import annotations

import csv
import html
import io
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from evaluator.core.printable import printable
from evaluator.report.text.escape import csv_text, latex_text, markdown_text, xml_text
from evaluator.report.text.table import Cell, TextTable

MARKDOWN = MarkdownIt("commonmark").enable("table").enable("strikethrough")
# No blanks, which Markdown joins or drops at the ends of a cell.
TEXTS = st.text(st.sampled_from("ab1|<>&*_`[]()!\\{}%$#~^–=+-@;:/\"'"), min_size=1, max_size=14)
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "![picture](http://example.org/x)",
    "a\\|b",
    "&lt;b&#124;c",
    "<!-- </details> -->",
    "**bold** __bold__ ~~gone~~ `code`",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("code", [False, True])
def test_hostile_text_is_shown_by_markdown(text: str, code: bool) -> None:
    assert_shown(text, code)


@given(TEXTS, st.booleans())
def test_any_text_is_shown_by_markdown(text: str, code: bool) -> None:
    assert_shown(text, code)


def assert_shown(text: str, code: bool) -> None:
    table = TextTable(["run", text], [[Cell(text, code=code), Cell("end", text, text)]])
    rendered = MARKDOWN.render(table.markdown())
    tags = set(re.findall(r"</?([a-z]+)", rendered))
    assert tags <= {"table", "thead", "tbody", "tr", "th", "td", *(["code"] if code else [])}
    cells = [
        html.unescape(each)
        for each in re.findall(r"<t[hd][^>]*>(?:<code>)?(.*?)(?:</code>)?</t[hd]>", rendered)
    ]
    shown = text.replace("`", "'") if code else text
    assert cells == ["run", text, shown, f"end ({text}) {text}"]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_in_a_line_of_markdown(text: str) -> None:
    rendered = MARKDOWN.render(f"- {markdown_text(text)}")
    assert html.unescape(re.sub(r"</?(ul|li)>|\n", "", rendered)) == text


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", " =1", "\n\r=1", '=HYPERLINK("x")']
)
def test_no_spreadsheet_takes_a_text_for_a_formula(text: str) -> None:
    table = TextTable(["run", text], [[Cell(text), Cell("-1.5")]])
    heading, row = csv.reader(io.StringIO(table.csv()))
    assert heading[1] == row[0] == "'" + text
    assert row[1] == "-1.5"
    assert csv_text("-inf") == "-inf"


@given(st.text(max_size=12))
def test_any_text_is_a_part_of_xml(text: str) -> None:
    element = ElementTree.Element("a", {"name": xml_text(text)})
    element.text = xml_text(text)
    again = ElementTree.fromstring(ElementTree.tostring(element, encoding="utf-8"))
    assert (again.text or "") == printable(text)


@pytest.mark.parametrize("text", ["[2cm] a", "*", "a\n\nb", "\\input{/etc/passwd}", "%", "$x$", "a & b"])
def test_latex_has_no_command_of_a_text(text: str) -> None:
    row = TextTable(["a", "b"], [[Cell("x"), Cell("y")], [Cell(text), Cell("end")]]).latex().splitlines()[5]
    bare = row.replace("\\textbackslash{}", "").removesuffix(" \\\\")
    assert not re.search(r"\\[a-zA-Z]", bare)
    assert not row.startswith(("[", "*"))
    assert len(re.findall(r"(?<!\\)&", bare)) == 1
    assert not re.search(r"(?<!\\)[%$#_]", bare)


@pytest.mark.parametrize(
    "text",
    [
        "\x1b]0;title\x07",
        "\x1b]52;c;aGk=\x07",
        "\x9b31m",
        "a\rb",
        "\x1b[8mhidden",
        "\u202egpj",
        "\u2066x",
        "left\u200eright\u200f",
        "\u061c",
        "no\u200bspace\u2060",
        "\ud800",
    ],
)
def test_nothing_that_a_terminal_obeys_is_printable(text: str) -> None:
    shown = printable(text)
    assert shown != text
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", shown)
    shown.encode()
    assert printable(shown) == shown
    assert latex_text(text).isprintable()


@pytest.mark.parametrize("text", ["ein Hund\n", "کتاب\u200cها", "👩\u200d👧", "שלום", "a\tb", "日本語"])
def test_the_worlds_writing_is_printable(text: str) -> None:
    assert printable(text) == text
