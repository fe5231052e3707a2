"""What the runs of a site can be filtered by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from evaluator.comparison.compare import compare
from evaluator.core import Caption, Outcome, Reply
from evaluator.report.page.filters import number_filters, places
from evaluator.report.page.frame import About, Frame

ABOUT = {
    "local": About(size="2.7B, 5.4 GB", where="local"),
    "cloud": About(size="not told", where="cloud"),
}


def test_each_number_that_is_known_of_some_run(make_run: Callable[..., Path]) -> None:
    """A price is that of the images that were paid for, whatever came from a cache."""
    paid = [Caption(str(number), Outcome.OK, Reply("a dog"), cost_usd=0.002) for number in range(3)]
    said = {one.item_id: one for one in paid} | {"3": replace(paid[0], item_id="3", cost_usd=0.0)}
    runs = [
        make_run("cloud", said, {"CIDEr": [0.5] * 4}, cost_usd=0.006),
        make_run("local", dict.fromkeys("0123", "a dog"), {"CIDEr": [0.4] * 4}),
    ]
    board = compare(runs)
    cloud, local = board.rows
    board = replace(
        board, rows=(cloud, replace(local, results=replace(local.results, peak_memory=4 * 10**9)))
    )
    frame = Frame(pages={"local": "local.html", "cloud": "cloud.html"}, about=ABOUT)
    assert {one.name: one.values for one in number_filters(board, frame)} == {
        "parameters": {"local": 2.7},
        "disk": {"local": 5.4},
        "memory": {"local": 4.0},
        "price": {"cloud": 2.0},
    }
    assert places(frame) == ["cloud", "local"]
    # A page about a run lists no runs to choose from.
    alone = replace(frame, pages={})
    assert not number_filters(board, alone)
    assert not places(alone)
