"""Leaderboards to paste: what is best, what is level with it, and what was only published."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import evaluator
from evaluator.comparison.compare import compare
from evaluator.comparison.comparison import Comparison
from evaluator.core import Score, Signature
from evaluator.report.leaderboard import ScoreCell, leaderboard_rows
from evaluator.report.text.external import ExternalResult, human_result, published_results
from evaluator.report.text.leaderboard import FORMATS
from evaluator.report.text.table import MARK

MakeRun = Callable[..., Path]
IDS = [str(number) for number in range(60)]
HARD = np.random.default_rng(0).random(60)
NOISE = np.random.default_rng(1).normal(0, 0.05, 60)
PAPER = ExternalResult("A & B", {"CIDEr": 99.5}, "zero-shot", "Somebody 2022, https://example.org/1")


@pytest.fixture
def comparison(make_run: MakeRun) -> Comparison:
    captions = dict.fromkeys(IDS, "a dog")
    return compare(
        [
            make_run("last_one", captions, {"CIDEr": HARD - 0.3, "BLEU-4": HARD}),
            make_run("best", captions, {"CIDEr": HARD + 0.01, "BLEU-4": HARD - 0.2}),
            make_run("level", captions, {"CIDEr": HARD + NOISE - NOISE.mean()}, reasons={"BLEU-4": "no"}),
        ]
    )


def test_the_best_first_and_what_is_level_with_it(comparison: Comparison) -> None:
    rows = leaderboard_rows(comparison.best_first)
    assert [row.label for row, _ in rows] == ["best", "level", "last_one"]
    assert [comparison.rank(row) for row, _ in rows] == [(1, 2), (1, 2), (3, 3)]
    cells = [cell_of(comparison, cells, "CIDEr") for _, cells in rows]
    assert [cell.is_best for cell in cells] == [True, False, False]
    assert [cell.is_tied for cell in cells] == [False, True, False]
    assert cell_of(comparison, rows[2][1], "BLEU-4").is_best


def cell_of(comparison: Comparison, cells: Sequence[ScoreCell | None], metric: str) -> ScoreCell:
    cell = cells[comparison.metrics.index(metric)]
    assert cell is not None
    return cell


def test_nothing_is_level_with_a_best_that_cannot_be_told(make_run: MakeRun) -> None:
    captions = dict.fromkeys(IDS, "a dog")
    options = [{}, {}, {"signature": "CIDEr|n:3"}]
    runs = [
        make_run(f"r{n}", captions, {"CIDEr": HARD + n / 1000}, **option) for n, option in enumerate(options)
    ]
    comparison = compare(runs)
    cells = [cell_of(comparison, cells, "CIDEr") for _, cells in leaderboard_rows(comparison)]
    assert not any(cell.is_best or cell.is_tied for cell in cells)


def test_every_format_says_what_its_numbers_are_of(comparison: Comparison) -> None:
    for name, text in {name: make(comparison, [PAPER]) for name, make in FORMATS.items()}.items():
        assert "pets" in text, name
        assert "60" in text, name
        if name != "csv":
            assert "Data: pets, 60 images; 95 % intervals." in text
            assert "CIDEr|v:0" in text


def test_markdown(comparison: Comparison) -> None:
    lines = FORMATS["markdown"](comparison, [PAPER]).splitlines()
    best, level, last, paper = lines[2:6]
    assert best.startswith("| best | 1–2 | ")
    assert "**" in best
    assert MARK in level
    assert MARK not in last
    assert paper.startswith("| *A & B* |")
    assert "*99.5*" in paper
    assert "- A & B: zero-shot (Somebody 2022, https://example.org/1)" in lines
    assert {line.count("|") for line in lines[:6]} == {lines[0].count("|")}


def test_beside_a_metric_stands_its_agreement_with_people(comparison: Comparison) -> None:
    texts = {name: make(comparison, []) for name, make in FORMATS.items()}
    assert "| CIDEr (τ-c 43.9) |" in texts["markdown"]
    assert "| BLEU-4 (τ-c 30.8) |" in texts["markdown"]
    assert '<th scope="col">CIDEr <small>τ-c 43.9</small></th>' in texts["html"]
    for name in ("markdown", "html", "latex", "json"):
        assert "Kendall's τ-c × 100 with the ratings of Flickr8k-Expert: CIDEr 43.9, BLEU-4 30.8" in (
            unescape(texts[name])
        ), name
    assert "τ-c" not in texts["csv"]


def test_latex(comparison: Comparison) -> None:
    text = FORMATS["latex"](comparison, [PAPER])
    assert text.count("\\toprule") == text.count("\\bottomrule") == 1
    assert "\\textbf{" in text
    assert "$^\\dagger$" in text
    assert "last\\_one & 3 & " in text
    assert "\\textit{A \\& B} &  & " in text
    ends = [line for line in text.splitlines() if line.endswith("\\\\")]
    assert {line.count("&") - line.count("\\&") for line in ends} == {3}


def test_csv_and_json(comparison: Comparison) -> None:
    rows = list(csv.DictReader(io.StringIO(FORMATS["csv"](comparison, [PAPER]))))
    assert [(row["name"], row["measured"]) for row in rows] == [
        *[(name, "yes") for name in ("best", "level", "last_one")],
        ("A & B", "no"),
    ]
    assert rows[1]["BLEU-4"] == ""
    assert rows[3]["CIDEr"] == "99.5"
    document = json.loads(FORMATS["json"](comparison, [PAPER]))
    assert document["measured"][0]["places"]["CIDEr"]["best"] is True
    assert document["apart"][0]["source"] == PAPER.source


def test_what_was_published_has_its_source_and_protocol() -> None:
    for row in published_results():
        assert "https://" in row.source
        assert row.protocol
        assert row.scores.keys() <= {"BLEU-4", "METEOR", "ROUGE-L", "CIDEr", "SPICE"}
        assert all(1 < value < 200 for value in row.scores.values())


class Table(HTMLParser):
    """The cells of a table's rows, and which of them are bold."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.bold: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()
        if self.tags[-1] == "b" and data.strip():
            self.bold.append(data)


def test_html(make_run: MakeRun, comparison: Comparison) -> None:
    table = Table(FORMATS["html"](comparison, [PAPER]))
    assert [row[0] for row in table.rows] == ["run", "best", "level", "last_one", "A & B"]
    assert {len(row) for row in table.rows} == {len(table.rows[0])}
    assert len(table.bold) == 2
    (column,) = [number for number, head in enumerate(table.rows[0]) if head.startswith("CIDEr")]
    assert MARK in table.rows[2][column]
    hostile = compare([make_run("<script>alert(1)<", {"1": "a"}, {"<img src=x>": [0.5]})])
    assert not {"script", "img"} & set(Table(FORMATS["html"](hostile, [])).tags)


def test_a_person_stands_apart_with_scores_against_fewer_references() -> None:
    person = human_result([Score("CIDEr", 0.85, 0.8, 0.9, Signature("CIDEr"))], 40)
    assert person.scores == {"CIDEr": 85.0}
    assert person.measured
    assert "40 images" in person.protocol


def test_a_persons_row_is_what_scoring_people_gives(command: Callable[..., Any], tmp_path: Path) -> None:
    options = ("scorer=[bleu,cider]", "limit=20")
    done = command("run", "data=demo", "model=tiny-git", "prompt=none", "name=git", *options)
    assert done.returncode == 0, done.stderr
    references = Path(evaluator.__file__).parent / "demo" / "data" / "captions.json"
    done = command("score", "--leave-one-out", references, *options)
    assert done.returncode == 0, done.stderr
    done = command("leaderboard", "runs/git", "--human", "--format", "json")
    assert done.returncode == 0, done.stderr
    (person,) = json.loads(done.stdout)["apart"]
    scores = json.loads((tmp_path / "runs" / "human" / "scores.json").read_bytes())["scores"]
    assert person["name"] == "a person"
    assert person["scores"] == {name: pytest.approx(100 * score["value"]) for name, score in scores.items()}


def test_the_command(comparison: Comparison, command: Callable[..., Any]) -> None:
    done = command("leaderboard", "best", "last_one", "--published")
    assert done.returncode == 0, done.stderr
    assert "Published" not in done.stdout  # these runs are of another data set
    assert "no published scores are shown" in done.stderr
    nothing = command("leaderboard")
    assert nothing.returncode == 2
    assert "--site FOLDER" in nothing.stderr
