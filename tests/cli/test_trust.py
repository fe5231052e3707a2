"""`evaluator trust` as it is typed: its table, its formats, its page, and its mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from evaluator.cli.trust import trust_command
from evaluator.core.errors import ConfigError, DataError


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """60 captions of 30 images; people like those that repeat the reference."""
    lines = ["image,caption,rating,rater,references,system"]
    for image in range(30):
        subject = f"thing{image} stands on place{image % 7}"
        lines += [
            f"{image},a {subject},{4 + image % 2},anna,\"['a {subject}']\",one",
            f"{image},a {subject},{3 + image % 3},ben,\"['a {subject}']\",one",
            f"{image},something else,{1 + image % 2},anna,\"['a {subject}']\",two",
            f"{image},a place{image % 7},{2 + image % 2},anna,\"['a {subject}']\",three",
        ]
    path = tmp_path / "mine.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def trust(*arguments: object) -> str:
    done = CliRunner().invoke(trust_command, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_the_table_and_what_stands_below_it(table: Path) -> None:
    output = trust("rouge", "cider", "-j", f"table={table}", "--resamples", 100)
    assert "mine: Kendall's τ-c × 100, 30 images, 90 captions" in " ".join(output.split())
    assert "│ CIDEr" in output
    assert "│ ROUGE-L" in output
    assert "Intervals (95 %) resample images." in output
    assert "Krippendorff's alpha" in output
    assert "people: one, three, two" in output


def test_json_is_a_list_of_rows(table: Path) -> None:
    statistics = ["--statistic", "kendall_tau_b", "--statistic", "pairwise_accuracy"]
    output = trust(
        "bleu", "rouge", "-j", f"table={table}", *statistics, "--format", "json", "--resamples", 100
    )
    rows = json.loads(output)
    assert [(row["metric"], row["statistic"]) for row in rows] == [
        (metric, statistic)
        for statistic in ("kendall_tau_b", "pairwise_accuracy")
        for metric in ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L")
    ]
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows)
    assert {(row["collection"], row["images"], row["pairs"], row["published"]) for row in rows} == {
        ("mine", 30, 90, None)
    }


@pytest.mark.parametrize(
    ("form", "word"), [("markdown", "| ROUGE-L |"), ("latex", "\\toprule"), ("csv", "mine,")]
)
def test_formats(table: Path, form: str, word: str) -> None:
    assert word in trust("rouge", "-j", f"table={table}", "--format", form, "--resamples", 100)


def test_the_page(table: Path, tmp_path: Path) -> None:
    page = tmp_path / "pages" / "trust.html"
    output = trust("rouge", "bleu", "-j", f"table={table}", "--resamples", 100, "--output", page)
    assert str(page) in output
    html = page.read_text()
    assert "default-src &#39;none&#39;" in html
    assert "<script" not in html
    assert "Where <bdi>ROUGE-L</bdi> and people disagree most" in html
    assert "People rate it" in html


def test_options_of_a_scorer(table: Path) -> None:
    arguments = [
        "cider",
        "scorer.cider.sigma=5",
        "-j",
        f"table={table}",
        "--format",
        "json",
        "--resamples",
        100,
    ]
    [row] = json.loads(trust(*arguments))
    assert "sigma:5" in row["signature"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (["cider", "-j", "flickr=x"], ConfigError, "type NAME=PATH"),
        (["cider", "-j", "thumb=nowhere"], DataError, "nowhere"),
        (["cidre", "-j", "thumb=nowhere"], ConfigError, "cidre"),
    ],
)
def test_mistakes_say_what_to_type(arguments: list[str], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        trust(*arguments)
