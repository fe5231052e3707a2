"""Plots: every run is drawn where its numbers are, and labels are text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.comparison.compare import compare
from evaluator.report.page.html import write_report
from evaluator.report.page.plots import Axis, intervals_plot, intervals_plots, round_numbers, trade_off_plots

MakeRun = Callable[..., Path]
TWO = {"1": "a dog", "2": "a cat"}


@pytest.fixture
def runs(make_run: MakeRun) -> list[Path]:
    return [
        make_run("slow & good", TWO, {"CIDEr": [1.0, 1.2]}, images_per_second=1.0),
        make_run("fast", TWO, {"CIDEr": [0.5, 0.5]}, images_per_second=100.0),
        make_run("neither", TWO, {"CIDEr": [0.4, 0.4]}, images_per_second=2.0),
    ]


def test_intervals_lie_on_one_axis(runs: list[Path]) -> None:
    plot = intervals_plot(compare(runs), "CIDEr")
    assert plot is not None
    ends = [tuple(map(plot.axis.position, score.interval_points)) for _, score in plot.scored]
    (good_low, good_high), (_, fast_high), _ = ends
    assert fast_high < good_low
    # 4 points of interval each, and 60 points between them.
    assert good_high - fast_high == pytest.approx(60 * (good_high - good_low) / 4, rel=0.05)
    assert "the best is slow & good (110.0)" in plot.description


def test_who_is_beaten_on_both_axes_is_not_on_the_front(runs: list[Path]) -> None:
    (plot,) = trade_off_plots(compare(runs))
    assert {dot.label: dot.on_front for dot in plot.dots} == {
        "slow & good": True,
        "fast": True,
        "neither": False,
    }
    good, fast, neither = plot.dots
    assert good.y < fast.y < neither.y  # higher scores lie higher
    # From 1 to 100 is two powers of ten, from 1 to 2 less than a third of one.
    assert (neither.x - good.x) / (fast.x - good.x) == pytest.approx(0.1505, abs=0.01)


def test_nothing_to_plot(make_run: MakeRun) -> None:
    alone = compare([make_run("alone", TWO, {"CIDEr": [0.5, 0.5]})])
    assert intervals_plots(alone) == []
    assert trade_off_plots(alone) == []


def test_labels_are_text(make_run: MakeRun, tmp_path: Path) -> None:
    runs = [
        make_run("<script>alert(1)<", TWO, {"CIDEr": [1.0, 1.0]}, images_per_second=1.0),
        make_run("two", TWO, {"CIDEr": [0.5, 0.5]}, images_per_second=3.0),
    ]
    page = write_report(compare(runs), tmp_path / "report.html").read_text()
    assert "<script>alert" not in page
    assert page.count('<figure class="plot">') == 3  # intervals, speed, lengths; image by image with an id
    assert page.count('<figure class="plot" id="scatter"') == 1


@given(st.floats(-1e3, 1e3), st.floats(0.01, 1e3))
def test_round_numbers_are_some_and_inside(low: float, width: float) -> None:
    numbers = round_numbers(low, low + width)
    assert 2 <= len(numbers) <= 12
    assert all(low - 1e-6 * width <= number <= low + width + 1e-6 * width for number in numbers)


def test_values_that_are_all_the_same_have_an_axis_too() -> None:
    axis = Axis.of([3.0, 3.0], 0.0, 100.0)
    assert axis.position(3.0) == 50.0
