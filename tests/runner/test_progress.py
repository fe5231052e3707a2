"""What is seen while captions are made."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import pty
import re
import subprocess
import sys
import termios
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from evaluator.core import Caption, Outcome, Reply
from evaluator.runner import progress
from tests.runner.conftest import Server


def captions() -> list[Caption]:
    return [Caption(str(i), Outcome.OK, Reply("a dog")) for i in range(3)] + [
        Caption("3", Outcome.ERROR, error="torn")
    ]


def test_a_bar_with_rate_time_left_and_failures() -> None:
    screen = io.StringIO()
    console = Console(file=screen, force_terminal=True, width=120)
    with progress.progress(4, console) as display:
        for caption in captions():
            display.advance(caption)
    last = screen.getvalue()
    assert "4/4" in last
    assert "1 error" in last
    assert "images/s" in last


def test_plain_lines_where_there_is_no_terminal(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
    with caplog.at_level(logging.INFO, "evaluator"), progress.progress(4) as display:
        for caption in captions():
            display.advance(caption)
    assert [record.getMessage().split(",")[0] for record in caplog.records] == [
        f"captioned {done} of 4" for done in (1, 2, 3, 4)
    ]
    assert "0 s left, 1 error" in caplog.records[-1].getMessage()


def test_one_line_in_a_notebook(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "NOTEBOOK_SECONDS", 0.0)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    with progress.progress(4) as display:
        for caption in captions():
            display.advance(caption)
    shown = capsys.readouterr().out
    assert shown.count("\n") == 1
    lines = shown.rstrip("\n").split("\r")[1:]
    assert [line.split(",")[0].strip() for line in lines] == [
        f"captioned {done} of 4" for done in (1, 2, 3, 4)
    ]
    assert "0 s left, 1 error" in lines[-1]


def test_few_lines_in_a_long_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "evaluator"), progress.progress(4) as display:
        for caption in captions():
            display.advance(caption)
    assert len(caplog.records) == 1


def counts(total: int = 10) -> progress.CaptionCounts:
    return progress.CaptionCounts(total, start=100.0)


def cached(number: int) -> list[Caption]:
    return [Caption(str(i), Outcome.OK, Reply("a dog"), cost_usd=0.0, source="cache") for i in range(number)]


def test_what_came_from_the_cache_and_what_it_cost() -> None:
    found = counts()
    assert str(found) == ""
    for cost_usd in (0.5, 0.25, None):
        found.add(Caption("1", Outcome.OK, Reply("a dog"), cost_usd=cost_usd), now=101.0)
    found.add(Caption("2", Outcome.REFUSED, cost_usd=0.0, source="cache"), now=101.0)
    found.add(Caption("3", Outcome.OK, Reply("of a file"), source="file"), now=101.0)
    assert str(found) == "1 refused, 1 from the cache, $0.75"


def test_the_time_left_when_the_first_half_came_from_the_cache_at_once() -> None:
    found = counts(total=2000)
    for caption in cached(1000):
        found.add(caption, now=100.0)
    assert found.speed(now=100.0) == ""
    for number in range(100):
        found.add(Caption(str(number), Outcome.OK), now=100.5 + number / 2)
    assert found.rate(now=150.0) == pytest.approx(2.0)
    assert found.speed(now=150.0) == "2.0 images/s, 8 min left"  # 900 more, two a second


def test_the_rate_is_of_the_last_captions_and_of_the_wait_after_them() -> None:
    found = counts(total=10_000)
    for number in range(2000):
        found.add(Caption(str(number), Outcome.OK), now=100.0 + number / 100)
    for number in range(progress.RECENT_CAPTIONS):
        found.add(Caption(str(number), Outcome.OK), now=120.0 + number)
    assert found.rate(now=119.0 + progress.RECENT_CAPTIONS) == pytest.approx(1.0, rel=0.01)
    assert found.rate(now=119.0 + 2 * progress.RECENT_CAPTIONS) == pytest.approx(0.5, rel=0.01)


def test_a_slow_rate_is_not_zero() -> None:
    found = counts(total=3)
    found.add(Caption("1", Outcome.OK), now=140.0)
    assert found.speed(now=140.0) == "0.025 images/s", "a first batch says little about the next ones"
    found.add(Caption("2", Outcome.OK), now=180.0)
    assert found.speed(now=180.0) == "0.025 images/s, 40 s left"


def test_the_time_left_is_shown_once_the_first_wave_of_answers_is_over() -> None:
    """50 requests in flight, of which each takes 3 s: 16.7 a second, which the first answers do not show."""
    found = counts(total=1000)
    for number in range(10):
        found.add(Caption(str(number), Outcome.OK), now=103.0 + number / 100)
    assert found.speed(now=103.1) == "3.2 images/s"
    for number in range(90):
        found.add(Caption(str(number), Outcome.OK), now=103.1 if number < 40 else 106.0)
    assert found.speed(now=106.0) == "16.7 images/s, 54 s left"


def test_a_wait_for_the_provider_is_shown_as_one() -> None:
    found = counts()
    assert found.speed(now=101.0) == ""
    assert found.speed(now=105.0) == "waiting for the first caption, 5 s"
    found.add(Caption("1", Outcome.OK), now=110.0)
    found.waits("rate limit", until=180.0)
    found.waits("rate limit", until=150.0)
    assert found.speed(now=120.0) == "waiting 60 s, as the provider asks (rate limit)"
    assert "waiting" not in found.speed(now=181.0)
    assert found.speed(now=181.0).endswith("last caption 71 s ago")


def test_a_log_gets_a_line_before_a_long_wait(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "evaluator"), progress.progress(4) as display:
        display.advance(Caption("1", Outcome.OK))
        for seconds in (60.0, 59.0, 1.0):
            display.wait("rate limit", seconds)
    (line,) = [record.getMessage() for record in caplog.records]
    assert line.startswith("captioned 1 of 4, waiting ")


def test_a_closed_terminal_costs_no_caption() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(5, "Input/output error")

    console = Console(file=Closed(), force_terminal=True, width=120)
    with progress.progress(4, console) as display:
        for caption in captions():
            display.advance(caption)
    assert display.counts.done == 4


@pytest.mark.parametrize("terminal", [True, False])
def test_a_run_of_a_remote_model_shows_it_all(
    terminal: bool, own_copy: Path, server: Server, tmp_path: Path, command: Callable[..., Any]
) -> None:
    (tmp_path / "prices.yaml").write_text("test-model: {input: 10, output: 10}\n")
    line = [
        "run",
        "--config-dir",
        str(own_copy),
        "model=remote",
        f"model.url={server.url}",
        "prices=prices.yaml",
    ]
    line += ["scorer=[bleu]", "resamples=10"]
    assert command(*line, "limit=5", "name=first").returncode == 0
    server.behave(script=["refused"])
    ours, theirs = pty.openpty() if terminal else os.pipe()
    if terminal:
        termios.tcsetwinsize(ours, (40, 200))
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "200"}
    process = subprocess.Popen(
        [sys.executable, "-m", "evaluator", *line, "limit=30"],
        cwd=tmp_path,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    )
    os.close(theirs)
    shown = until_closed(ours)
    assert process.wait() == 0
    said = "30/30" if terminal else "captioned 30 of 30"
    (last,) = re.findall(rf"{said}\D.*", shown)[-1:]
    assert re.search(r"[\d.]+ images/s, 0 s left", last), last
    assert "1 refused, 5 from the cache, $0.025" in last


def until_closed(descriptor: int) -> str:
    """All that is written to the other end; a terminal that is closed is an error to Linux."""
    content = b""
    with contextlib.suppress(OSError):
        while part := os.read(descriptor, 65_536):
            content += part
    os.close(descriptor)
    return re.sub(r"\x1b\[[\d;?]*[a-zA-Z]", "", content.decode())


def test_failures_in_words() -> None:
    found = counts()
    for outcome in (Outcome.ERROR, Outcome.REFUSED, Outcome.REFUSED):
        found.add(Caption("1", outcome), now=101.0)
    assert str(found) == "2 refused, 1 error"
