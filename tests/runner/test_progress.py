"""What is seen while captions are made."""

from __future__ import annotations

import io
import logging
from collections import Counter

import pytest
from rich.console import Console

from evaluator.core import Caption, Outcome, Reply
from evaluator.runner import progress


def captions() -> list[Caption]:
    return [Caption(str(i), Outcome.OK, Reply("a dog")) for i in range(3)] + [
        Caption("3", Outcome.ERROR, error="torn")
    ]


def test_a_bar_with_rate_time_left_and_failures() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with progress.bar(4, console) as advance:
        for caption in captions():
            advance(caption)
    last = screen.getvalue()
    assert "4/4" in last
    assert "1 error" in last
    assert "images/s" in last


def test_plain_lines_where_there_is_no_terminal(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    with caplog.at_level(logging.INFO, "evaluator"), progress.progress(4) as advance:
        for caption in captions():
            advance(caption)
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        f"captioned {done} of 4" for done in (1, 2, 3, 4)
    ]
    assert "0 s left, 1 error" in caplog.records[-1].getMessage()


def test_few_lines_in_a_long_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "evaluator"), progress.progress(4) as advance:
        for caption in captions():
            advance(caption)
    assert len(caplog.records) == 1


def test_what_came_from_the_cache_and_what_it_cost() -> None:
    tally = progress.Tally()
    assert str(tally) == ""
    for cost_usd in (0.5, 0.25, None):
        tally.add(Caption("1", Outcome.OK, Reply("a dog"), cost_usd=cost_usd))
    tally.add(Caption("2", Outcome.REFUSED, cost_usd=0.0, cached=True))
    tally.add(Caption("3", Outcome.OK, Reply("supplied"), cached=True))
    assert str(tally) == "1 refused, 1 from the cache, $0.7500"


def test_failures_in_words() -> None:
    assert progress.in_words(Counter()) == ""
    assert progress.in_words(Counter({"error": 1, "refused": 2})) == "2 refused, 1 error"
