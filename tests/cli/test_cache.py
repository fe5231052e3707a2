"""`evaluator cache` as it is typed."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

from evaluator.core import Caption, Outcome, Reply
from evaluator.runner.answer_cache import cache_path, response_cache

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def filled(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path_factory.mktemp("cache")))
    with response_cache(cache_path()) as cache:
        for number, model in enumerate(("dear", "dear", "cheap")):
            cache.put(str(number), model, Caption("", Outcome.OK, Reply("a dog"), cost_usd=1.5))
        cache.get("0")


@pytest.mark.usefixtures("filled")
def test_what_it_holds_and_saved(command: Command) -> None:
    lines = command("cache").stdout.splitlines()
    assert lines[0].endswith("MB, 3 answers")
    assert [line.split() for line in lines[2:]] == [["dear", "2", "1", "$1.50"], ["cheap", "1", "0", "$0.00"]]


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize(
    ("typed", "deleted"),
    [(["--model", "dear"], 2), (["--older-than", "1"], 0), (["--older-than", "0"], 3), (["--all"], 3)],
)
def test_pruning(typed: list[str], deleted: int, command: Command) -> None:
    assert command("cache", "prune", *typed).stdout.startswith(f"{deleted} answers deleted")
    assert f"{3 - deleted} answers" in command("cache").stdout


@pytest.mark.usefixtures("filled")
@pytest.mark.parametrize("typed", [[], ["--all", "--model", "dear"]])
def test_pruning_takes_no_guess(typed: list[str], command: Command) -> None:
    done = command("cache", "prune", *typed)
    assert (done.returncode, "--older-than DAYS" in done.stderr) == (2, True)
    assert "3 answers" in command("cache").stdout
