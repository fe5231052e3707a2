"""Attacks on money and memory: hostile usage, full disks, a locked cache, kills, suspensions.

Each is small here. EVALUATOR_ATTACK_IMAGES sets how many images the budget is attacked with.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Caption, Item, Outcome, Prompt, Reply, Usage
from evaluator.core.errors import ModelError, RetryableError, StoreError
from evaluator.models.openai_compatible import OpenAICompatible
from evaluator.runner import answer_cache, interrupts, limits, remote
from evaluator.runner.answer_cache import cache_path
from evaluator.runner.default import DefaultRunner
from evaluator.runner.request_options import Requests
from evaluator.store.run_folder import RunFolder
from tests.forked import Forked, command_line
from tests.full_disk import needs_a_small_disk, small_disk
from tests.runner.conftest import Server

IMAGES = int(os.environ.get("EVALUATOR_ATTACK_IMAGES", "60"))
IN_FLIGHT = 10
PROMPT = Prompt("one", "Describe it.")
MOST_USD = 0.0012  # at most 100 + 20 tokens at $10 a million
PATIENCE_SECONDS = 120.0


@dataclass(frozen=True)
class Hostile:
    """A captioner whose server answers what `answer` says, and bills what it likes."""

    answer: Callable[[int], Reply]
    model: str = "test-model"
    billed: list[int] = field(default_factory=list)

    def check(self, prompt: Prompt, items: Any) -> list[str]:
        return []

    def usage(self, prompt: Prompt) -> Usage:
        return Usage(self.model, (80, 100), (5, 20))

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Hostile]:
        yield self

    def prepare(self, item: Item) -> str:
        return item.id

    def cache_key(self, prepared: str) -> Mapping[str, Any]:
        return {"model": self.model, "item": prepared}

    async def ask(self, prepared: str) -> Reply:
        await asyncio.sleep(0)
        self.billed.append(int(prepared))
        return self.answer(int(prepared))


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "FIRST_WAIT_SECONDS", 0.01)
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    (tmp_path / "prices.yaml").write_text("test-model: {input: 10, output: 10}\n")
    return tmp_path / "prices.yaml"


def items(number: int = IMAGES) -> list[Item]:
    return [Item(str(i), None) for i in range(number)]


def run(
    folder: RunFolder, captioner: Any, prices: Path | None = None, images: int = IMAGES, **options: Any
) -> None:
    """A command's captioning of what has no final outcome yet."""
    runner = DefaultRunner(
        requests=Requests(in_flight=IN_FLIGHT, attempts=3), prices=prices, **{"cache": "off", **options}
    )
    with folder.ledger() as ledger:
        done = {name for name, each in ledger.before.captions.items() if not each.outcome.can_be_retried}
        todo = [item for item in items(images) if item.id not in done]
        runner.run(captioner, PROMPT, todo, ledger.record, ledger.before.cost_usd or 0.0, ledger)


# --- the budget -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "usage",
    [
        {"input_tokens": -90, "output_tokens": -10},
        {"input_tokens": 90, "output_tokens": 10, "cached_input_tokens": 10**6},
        {"input_tokens": float("nan"), "output_tokens": 10},
        {"input_tokens": 10**400, "output_tokens": 10},
        {"input_tokens": "90", "output_tokens": [10]},
        {"input_tokens": True, "output_tokens": 10},
        {},
    ],
    ids=["negative", "cached", "nan", "huge", "text", "bool", "none"],
)
def test_hostile_or_missing_usage_never_exceeds_the_budget_over_all_commands(
    usage: dict[str, Any], tmp_path: Path, prices: Path
) -> None:
    captioner = Hostile(lambda number: Reply("a dog", **usage))
    folder = RunFolder(tmp_path / "run")
    for _ in range(3):
        run(folder, captioner, prices, budget_usd=0.03)
    assert 0.03 - MOST_USD < (folder.load().attempts.cost_usd or 0.0) <= 0.03 + 1e-9
    assert len(captioner.billed) <= 0.03 / 0.0009


def test_a_dearer_answer_exceeds_the_budget_by_no_more_than_what_is_in_flight(
    tmp_path: Path, prices: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Each answer costs 25 times the most that was expected; the next commands know."""
    captioner = Hostile(lambda number: Reply("a dog", input_tokens=1000, output_tokens=2000))
    folder = RunFolder(tmp_path / "run")
    with caplog.at_level(logging.WARNING, "evaluator"):
        for _ in range(3):
            run(folder, captioner, prices, budget_usd=0.1)
    assert "at most $0.001200 was expected" in caplog.text
    assert folder.load().attempts.cost_usd == pytest.approx(0.03 * len(captioner.billed))
    assert len(captioner.billed) <= max(IN_FLIGHT, 0.1 / 0.03)


def test_several_answers_to_one_request_are_all_bounded() -> None:
    options = {"model": "m", "base_url": "http://localhost/v1", "max_output_tokens": 30, "longest_side": 512}
    plain = OpenAICompatible(**options)
    eight = OpenAICompatible(**options, extra_body={"n": 8, "max_tokens": 100})
    assert plain.usage(PROMPT).output_tokens[1] == 30
    assert eight.usage(PROMPT).output_tokens[1] == 800


@dataclass(frozen=True)
class Malformed(Hostile):
    """Each answer is billed and cannot be read."""

    async def ask(self, prepared: str) -> Reply:
        billed = await super().ask(prepared)
        raise RetryableError("what is this?", "malformed answer", reply=billed, most_attempts=2)


def test_a_malformed_answer_is_booked_and_asked_for_twice_at_most(tmp_path: Path, prices: Path) -> None:
    captioner = Malformed(lambda number: Reply("", input_tokens=90, output_tokens=10))
    folder = RunFolder(tmp_path / "run")
    run(folder, captioner, prices, images=3)
    found = folder.load().attempts
    assert len(captioner.billed) == 6 == sum(caption.attempts for caption in found.captions.values())
    assert found.cost_usd == pytest.approx(6 * 0.001)


# --- the cache and the disk -----------------------------------------------------------------------------


def ok(number: int) -> Reply:
    return Reply("a dog on a red sofa", input_tokens=90, output_tokens=10)


def recorded(folder: RunFolder) -> int:
    return sum(caption.outcome is Outcome.OK for caption in folder.load().captions.values())


@needs_a_small_disk
def test_a_full_cache_costs_one_warning_and_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with small_disk(tmp_path / "cache", kilobytes=64):
        captioner, folder = Hostile(ok), RunFolder(tmp_path / "run")
        run(folder, captioner, images=200, cache="read")
    assert len(captioner.billed) == recorded(folder) == 200
    assert caplog.text.count("the cache of answers cannot be used") == 1


def test_a_locked_cache_costs_one_warning_and_no_answer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_cache, "PATIENCE_SECONDS", 0.05)
    run(RunFolder(tmp_path / "before"), Hostile(ok), images=1, cache="read")
    other = sqlite3.connect(cache_path(), isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    captioner, folder = Hostile(ok), RunFolder(tmp_path / "run")
    run(folder, captioner, cache="refresh")
    other.close()
    assert len(captioner.billed) == recorded(folder) == IMAGES
    assert caplog.text.count("the cache of answers cannot be used") == 1


def test_an_answer_that_the_cache_cannot_hold_is_recorded(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    run(folder, Hostile(lambda number: Reply("a \ud800 dog", model_version="\udfff")), cache="read")
    assert recorded(folder) == IMAGES


@needs_a_small_disk
def test_a_full_run_folder_loses_no_answer(tmp_path: Path) -> None:
    captioner = Hostile(lambda number: replace(ok(number), text="a dog on a red sofa " * 20))
    with small_disk(tmp_path / "disk", kilobytes=160) as disk:
        folder = RunFolder(disk / "run")
        with pytest.raises(StoreError, match="No space left"):
            run(folder, captioner, images=1000)
        assert 0 < len(captioner.billed) == recorded(folder) < 1000


# --- signals and suspensions ----------------------------------------------------------------------------


class Command:
    """`evaluator run` in a process of its own, whose requests are in flight until the server answers."""

    def __init__(self, folder: Path, conf: Path, server: Server) -> None:
        (folder / "prices.yaml").write_text("test-model: {input: 10, output: 10}\n")
        self.folder, self.run = folder, RunFolder(folder / "runs" / "one")
        line = ["run", "--config-dir", conf, "model=remote", f"model.url={server.url}", "scorer=[bleu]"]
        line += ["resamples=10", "name=one", "limit=24", "prices=prices.yaml", "cache=off"]
        line += [f"runner.requests.in_flight={IN_FLIGHT}"]
        self.process = Forked(command_line(*line), folder)

    def wait_for(self, name: str, lines: int) -> None:
        path, deadline = self.run.path / name, time.monotonic() + PATIENCE_SECONDS
        while not path.exists() or path.read_bytes().count(b"\n") < lines:
            assert self.process.returncode is None, self.process.finish()
            assert time.monotonic() < deadline, "it neither captions nor ends"
            time.sleep(0.02)

    def end(self, number: signal.Signals) -> str:
        self.process.send_signal(number)
        return self.process.finish(PATIENCE_SECONDS).stderr


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="this system has no SIGHUP")
def test_what_is_on_its_way_is_recorded(name: str, own: Path, server: Server, tmp_path: Path) -> None:
    server.behave(seconds=1.5)
    command = Command(tmp_path, own, server)
    command.wait_for("requests.jsonl", IN_FLIGHT)
    output = command.end(signal.Signals[name])
    assert command.process.returncode == 3, output
    assert "All captions so far are saved" in output
    assert sum(server.answered.values()) == recorded(command.run) == IN_FLIGHT


def test_after_a_kill_cost_and_budget_know_what_was_in_flight(
    own: Path, server: Server, tmp_path: Path
) -> None:
    server.behave(slow_items={str(number): 60.0 for number in range(5, 100)})
    command = Command(tmp_path, own, server)
    command.wait_for("captions.jsonl", 4)
    command.wait_for("requests.jsonl", 4 + IN_FLIGHT)
    command.end(signal.SIGKILL)
    found = command.run.load().attempts
    lines = (command.run.path / "requests.jsonl").read_text().splitlines()
    sent = [line for line in map(json.loads, lines) if "item_id" in line]
    assert len(found.unanswered) == len(sent) - len(found.captions) <= IN_FLIGHT
    assert found.cost_usd == pytest.approx(0.001 * len(found.captions) + MOST_USD * len(found.unanswered))


def test_a_second_sigterm_waits_like_the_first_and_ctrl_c_does_not() -> None:
    stops: list[int] = []
    before = signal.getsignal(signal.SIGTERM)
    with interrupts.on_interrupt(lambda: stops.append(1)):
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert len(stops) == 1
        os.kill(os.getpid(), signal.SIGINT)
        assert len(stops) == 2
    assert signal.getsignal(signal.SIGTERM) is before


def test_a_suspended_run_buys_no_answer_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With all requests in flight the clock jumps by an hour: their deadline of a minute has not passed."""
    real, jump = time.monotonic, [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: real() + jump[0])

    @dataclass(frozen=True)
    class Suspended(Hostile):
        async def ask(self, prepared: str) -> Reply:
            self.billed.append(int(prepared))
            if len(self.billed) == IN_FLIGHT:
                jump[0] = 3600.0
            await asyncio.sleep(0.05)
            return self.answer(int(prepared))

    captioner, folder = Suspended(ok), RunFolder(tmp_path / "run")
    monkeypatch.setattr("evaluator.runner.awake_loop.GRACE_SECONDS", 0.1)
    runner = DefaultRunner(requests=Requests(in_flight=IN_FLIGHT, attempt_seconds=60.0), cache="off")
    with folder.ledger() as ledger:
        runner.run(captioner, PROMPT, items(20), ledger.record, 0.0, ledger)
    assert len(captioner.billed) == recorded(folder) == 20


# --- servers that are not there -------------------------------------------------------------------------


@dataclass(frozen=True)
class Unreachable(Hostile):
    """A server that stops running after some answers."""

    answers: int = 0

    async def ask(self, prepared: str) -> Reply:
        if len(self.billed) >= self.answers:
            raise RetryableError("connection refused", RetryableError.NOT_CONNECTED)
        return await super().ask(prepared)


def test_a_server_that_never_ran_is_asked_for_after_three_attempts(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(ModelError, match="Is the server running, and its address right"):
        run(folder, Unreachable(ok))
    assert folder.load().attempts.cost_usd is None


def test_a_server_that_stops_running_has_time_to_come_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "UNREACHABLE_SECONDS", 0.0)
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(ModelError, match="cannot be reached any more"):
        run(folder, Unreachable(ok, answers=20))
    assert 20 <= recorded(folder) < IMAGES, "what was in flight when it stopped is there, too"


def test_an_answer_that_breaks_the_program_is_one_outcome(tmp_path: Path) -> None:
    def odd(number: int) -> Reply:
        if number == 7:
            raise RecursionError("too deep")
        return ok(number)

    folder = RunFolder(tmp_path / "run")
    run(folder, Hostile(odd))
    captions = folder.load().captions
    assert captions["7"] == replace(
        captions["7"], outcome=Outcome.ERROR, error="the answer could not be read: RecursionError: too deep"
    )
    assert recorded(folder) == IMAGES - 1
    assert isinstance(captions["7"], Caption)
