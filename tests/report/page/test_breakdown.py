"""Scores by tag: those of the images that have it, with intervals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluator.comparison.compare import compare
from evaluator.core import Item
from evaluator.report.page.breakdown import breakdown
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
