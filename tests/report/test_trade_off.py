"""Quality against cost and speed in one sentence, only where it is known and worth saying."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.comparison.compare import compare
from evaluator.report.summary import summarize
from evaluator.report.trade_off import trade_off_sentence

MakeRun = Callable[..., Path]
TWO = {"1": "a dog", "2": "a cat"}


def sentence_of(
    make_run: MakeRun, *runs: dict[str, Any], metric: str = "CIDEr", **options: Any
) -> str | None:
    paths = [
        make_run(f"run-{number}", TWO, {metric: [run.pop("score")] * 2}, **run, **options)
        for number, run in enumerate(runs)
    ]
    return trade_off_sentence(compare(paths))


def test_the_best_of_those_that_cost_less(make_run: MakeRun) -> None:
    best = {"score": 1.0, "cost_usd": 2.5, "images_per_second": 2.0}
    cheap = {"score": 0.98, "cost_usd": 0.1, "images_per_second": 6.4}
    cheaper = {"score": 0.7, "cost_usd": 0.01}
    sentence = sentence_of(make_run, best, cheap, cheaper)
    assert sentence == (
        "run-1 has 98 % of run-0’s CIDEr at 4 % of its cost ($0.10 instead of $2.50), "
        "and is 3.2 times as fast."
    )


def test_without_costs_it_is_about_speed(make_run: MakeRun) -> None:
    sentence = sentence_of(
        make_run, {"score": 1.0, "images_per_second": 2.0}, {"score": 0.995, "images_per_second": 8.0}
    )
    assert sentence == "run-1 has 99.5 % of run-0’s CIDEr, and is 4.0 times as fast."


@pytest.mark.parametrize(
    ("first", "second", "options"),
    [
        ({"score": 1.0}, {"score": 0.9}, {}),
        ({"score": 1.0, "cost_usd": 1.0}, {"score": 0.9}, {}),
        ({"score": 1.0, "cost_usd": 1.0}, {"score": 0.9, "cost_usd": 0.9}, {}),
        ({"score": 1.0, "cost_usd": 1.0}, {"score": 0.3, "cost_usd": 0.1}, {}),
        ({"score": 1.0, "cost_usd": 0.0}, {"score": 0.9, "cost_usd": 0.1}, {}),
        ({"score": 0.0, "cost_usd": 1.0}, {"score": 0.0, "cost_usd": 0.1}, {}),
        ({"score": 0.1, "cost_usd": 1.0}, {"score": 0.2, "cost_usd": 0.1}, {"higher_is_better": False}),
    ],
    ids=["nothing known", "one cost", "as dear", "far worse", "free", "no quality", "lower is better"],
)
def test_nothing_is_said_where_nothing_is_gained(
    make_run: MakeRun, first: dict[str, Any], second: dict[str, Any], options: dict[str, Any]
) -> None:
    assert sentence_of(make_run, first, second, **options) is None


def test_it_stands_in_the_summary(make_run: MakeRun) -> None:
    runs = [
        make_run("dear", TWO, {"CIDEr": [1.0, 1.0]}, cost_usd=2.0),
        make_run("cheap", TWO, {"CIDEr": [0.9, 0.9]}, cost_usd=1.0),
    ]
    assert "cheap has 90 % of dear’s CIDEr at 50 % of its cost" in summarize(compare(runs)).sentences[1]
