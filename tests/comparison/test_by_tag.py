"""Scores by tag: those of the images that have it, with intervals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click import UsageError
from click.testing import CliRunner

from evaluator.cli.compare import compare_command
from evaluator.comparison.by_tag import breakdown
from evaluator.comparison.compare import compare
from evaluator.core import Item
from evaluator.report.page.html import write_report

MakeRun = Callable[..., Path]
TAGS = [("dog", "bench"), ("dog",), ("cat",), ()]
ITEMS = [Item(str(n), None, (), TAGS[n % 4]) for n in range(40)] + [Item("rare", None, (), ("gnu",))]
IDS = [item.id for item in ITEMS]


def test_each_tag_is_scored_over_its_images(make_run: MakeRun, tmp_path: Path) -> None:
    values = np.random.default_rng(5).random((2, 41))
    runs = [
        make_run(f"r{n}", dict.fromkeys(IDS, "x"), {"CIDEr": of_run}, ITEMS)
        for n, of_run in enumerate(values)
    ]
    found = breakdown(compare(runs))
    assert [(one.tag, one.images) for one in found] == [("dog", 20), ("bench", 10), ("cat", 10)]
    for one in found:
        part = [one.tag in item.tags for item in ITEMS]
        for score, of_run in zip(one.scores, values, strict=True):
            assert score is not None
            assert score.value == pytest.approx(of_run[part].mean())
            assert score.low < of_run[part].mean() < score.high
        assert one.best == max(score.value for score in one.scores if score)
    page = write_report(compare(runs), tmp_path / "r.html").read_text()
    assert "CIDEr for the images of each tag" in page
    table = page.split('<table class="breakdown">')[1].split("</table>")[0]
    assert table.count("<b>") == 3  # the best of each tag
    assert f"<b>{100 * (found[0].best or 0):.1f}</b>" in table


def test_the_command_shows_it_in_every_format(make_run: MakeRun) -> None:
    """Points for people; the scale of the files for programs."""
    values = [[0.5 if "dog" in item.tags else 0.25 for item in ITEMS], [0.75] * 41]
    runs = [
        str(make_run(name, dict.fromkeys(IDS, "x"), {"CIDEr": of_run}, ITEMS))
        for name, of_run in zip("ab", values, strict=True)
    ]

    def shown(*options: str) -> str:
        done = CliRunner().invoke(compare_command, [*runs, "--by-tag", *options], catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.stdout

    assert "CIDEr in points (x100) for the images of each tag, 95 % intervals" in " ".join(shown().split())
    assert "| dog | 20 | **75.0** (75.0–75.0) | 50.0 (50.0–50.0) |" in shown("--format", "markdown")
    assert "dog & 20 & \\textbf{75.0}" in shown("--format", "latex")
    lines = shown("--format", "csv").splitlines()
    assert lines[:2] == ["tag,images,b,b_low,b_high,a,a_low,a_high", "dog,20,0.75,0.75,0.75,0.5,0.5,0.5"]
    document = json.loads(shown("--format", "json"))
    assert document["tags"][2] == {
        "tag": "cat",
        "images": 10,
        "scores": {
            "b": {"value": 0.75, "low": 0.75, "high": 0.75},
            "a": {"value": 0.25, "low": 0.25, "high": 0.25},
        },
    }
    without = str(make_run("plain", {"1": "x"}, {"CIDEr": [0.5]}))
    with pytest.raises(UsageError, match="there are no two tags"):
        CliRunner().invoke(
            compare_command, [without, "--by-tag"], catch_exceptions=False, standalone_mode=False
        )


def test_without_tags_there_is_no_table(make_run: MakeRun) -> None:
    assert breakdown(compare([make_run("run", {"1": "x"}, {"CIDEr": [0.5]})])) == []


def test_a_run_without_the_metric_has_no_score(make_run: MakeRun) -> None:
    captions = dict.fromkeys(IDS, "x")
    runs = [
        make_run("with", captions, {"CIDEr": [0.5] * 41}, ITEMS),
        make_run("without", captions, {}, ITEMS, reasons={"CIDEr": "no"}),
    ]
    (first, *_) = breakdown(compare(runs))
    assert first.scores[1] is None
    assert first.best is None
