"""The histograms of caption lengths: the references first, each histogram where its lengths are."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from evaluator.comparison.compare import compare
from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.report.page.lengths import REFERENCES, length_plot

MakeRun = Callable[..., Path]


def steps(path: str) -> list[tuple[float, float]]:
    """The (height, right end) of each step of an outline."""
    return [(float(top), float(end)) for top, end in re.findall(r"V([\d.]+)H([\d.]+)", path)]


def test_a_histogram_for_the_references_and_each_run(make_run: MakeRun) -> None:
    items = [Item(str(n), None, ("one two three four", "one two")) for n in range(4)]
    short = {str(n): "a dog" for n in range(4)}
    long = {str(n): "a dog on a very long sofa" for n in range(3)} | {
        "3": Caption("3", Outcome.REFUSED, Reply("these are no words of a caption at all"))
    }
    plot = length_plot(
        compare(
            [
                make_run("short", short, {"CIDEr": [1] * 4}, items),
                make_run("long", long, {"CIDEr": [1] * 3}, items),
            ]
        )
    )
    assert plot is not None
    assert [one.label for one in plot.histograms] == [REFERENCES, "short", "long"]
    assert [one.are_references for one in plot.histograms] == [True, False, False]
    theirs, ours, longer = plot.histograms
    assert theirs.description.startswith("median 3 words")
    assert ours.description.startswith("median 2 words")
    assert longer.description.startswith("median 7 words")
    assert ours.median < theirs.median < longer.median
    # Two words are the third bin, from 2 up to 3: the only one that rises.
    risen = [number for number, (top, _) in enumerate(steps(ours.path)) if top < ours.base]
    assert risen == [2]
    assert len([top for top, _ in steps(theirs.path) if top < theirs.base]) == 2


def test_the_few_that_ramble_on_do_not_press_the_others_together(make_run: MakeRun) -> None:
    captions = {str(n): "a dog on a sofa" for n in range(999)} | {"last": "word " * 5000}
    plot = length_plot(compare([make_run("run", captions, {"CIDEr": [1] * 1000})]))
    assert plot is not None
    assert len(steps(plot.histograms[1].path)) < 12
    assert steps(plot.histograms[1].path)[-1][0] < plot.histograms[1].base  # it stands at the right end


def test_nothing_to_draw(make_run: MakeRun) -> None:
    run = make_run("run", {}, {}, items=[Item("1", None, ())], reasons={"CIDEr": "no caption"})
    assert length_plot(compare([run])) is None


@pytest.mark.parametrize("said", ["", "   ", "word"])
def test_captions_of_one_word_or_none(make_run: MakeRun, said: str) -> None:
    plot = length_plot(compare([make_run("run", {"1": said}, {"CIDEr": [1]}, [Item("1", None, ())])]))
    assert plot is not None
    assert [one.label for one in plot.histograms] == ["run"]
