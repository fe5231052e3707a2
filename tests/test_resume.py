"""kill -9 again and again, torn lines, full disks: nothing lost, nothing made twice, nothing torn."""

from __future__ import annotations

import json
import random
import resource
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from evaluator.config.run_config import run_configs
from evaluator.evaluate import evaluate
from evaluator.store.run_folder import RunFolder
from tests.forked import Forked, command_line

KILLS = 20
PATIENCE_SECONDS = 120.0


class Process:
    """The real command in a process of its own, whose captions can be watched."""

    def __init__(self, folder: Path, *arguments: object) -> None:
        self.captions = folder / "runs" / "one" / "captions.jsonl"
        self.started_with = self.lines()
        self.process = Forked(command_line("run", *arguments, "name=one"), folder)

    def lines(self) -> int:
        return self.captions.read_bytes().count(b"\n") if self.captions.exists() else 0

    def wait_for(self, more: int) -> bool:
        """Whether it wrote that many captions more before it ended."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.lines() < self.started_with + more:
            if self.process.returncode is not None:
                return False
            assert time.monotonic() < deadline, "it neither captions nor ends"
            time.sleep(0.001)
        return True

    def send(self, number: signal.Signals) -> str:
        self.process.send_signal(number)
        return self.finish()

    def finish(self) -> str:
        done = self.process.finish(PATIENCE_SECONDS)
        return done.stdout + done.stderr


def texts(run: RunFolder) -> dict[str, str | None]:
    return {item_id: caption.text for item_id, caption in run.load().captions.items()}


def check_nothing_was_lost(run: RunFolder, survived: bytes, images: int) -> None:
    """The ledger after the last run: whole lines, what was there before, each image captioned once."""
    content = (run.path / "captions.jsonl").read_bytes()
    assert content.startswith(survived)
    *lines, after = content.split(b"\n")
    assert after == b""
    whole = []
    for line in filter(None, lines):
        try:
            whole.append(json.loads(line))
        except ValueError:  # a line that a kill tore: closed, and made again
            continue
    assert len(lines) - len(whole) <= KILLS
    captioned = Counter(line["item_id"] for line in whole if line["outcome"] == "ok")
    assert set(captioned.values()) == {1}
    assert len(captioned) == images == len(run.load().items)


@pytest.mark.parametrize("seed", [1])
def test_twenty_kills_lose_nothing(own: Path, tmp_path: Path, seed: int) -> None:
    """One run, killed after one to a few captions each time: it ends as if it had never been killed.

    Every other kill comes a random moment after a caption was seen, so that it meets the batch, the write
    and the wait alike.
    """
    choose = random.Random(seed)
    arguments = ["--config-dir", own, "model=scripted", "model.seconds=0.002", f"model.log={tmp_path}/asked"]
    arguments += ["scorer=[bleu]", "runner.batch_size=3", "resamples=10"]
    run = RunFolder(tmp_path / "runs" / "one")
    survived, sizes = b"", []
    for number in range(KILLS):
        process = Process(tmp_path, *arguments)
        assert process.wait_for(choose.randint(1, 8)), process.finish()
        if number % 2:
            time.sleep(choose.uniform(0.0, 0.008))
        process.send(signal.SIGKILL)
        assert process.process.returncode == -signal.SIGKILL
        content = (run.path / "captions.jsonl").read_bytes()
        assert content.startswith(survived)
        survived = content
        sizes.append(process.lines())
    assert sizes == sorted(set(sizes))
    assert sizes[-1] < 200
    assert Process(tmp_path, *arguments).finish()
    check_nothing_was_lost(run, survived, images=200)
    assert texts(run) == {str(number): f"a plain picture of {number}" for number in range(1, 201)}
    assert run.load().results.captioned == 200
    # What was asked for twice is at most the batch that each kill interrupted.
    asked = [item for line in (tmp_path / "asked").read_text().splitlines() for item in json.loads(line)]
    assert len(asked) <= 200 + 3 * KILLS


def test_a_torn_line_is_closed_and_made_again(own: Path, tmp_path: Path) -> None:
    """Kills hardly ever tear a line, since each is one write: here it is torn by hand, at many places."""
    overrides = ["model=scripted", f"runs={tmp_path}", "name=one", "limit=3"]
    (config,) = run_configs(overrides, own)
    config = replace(config, scorers={})
    run = RunFolder(config.folder)
    evaluate(config)
    whole, before = (run.path / "captions.jsonl").read_bytes(), texts(run)
    last = whole.rstrip(b"\n").rindex(b"\n") + 1
    for end in [*range(last + 1, len(whole), 17), len(whole) - 2, len(whole) - 1]:
        (run.path / "captions.jsonl").write_bytes(whole[:end])
        evaluate(config)
        assert (run.path / "captions.jsonl").read_bytes().startswith(whole[:end])
        assert texts(run) == before


def test_a_real_captioner_resumes_to_the_same_captions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    arguments = ["model=tiny-git", "data=demo", "scorer=[bleu]", "limit=24", "runner.batch_size=4"]
    for name in ("killed", "whole"):
        (tmp_path / name).mkdir()
    process = Process(tmp_path / "killed", *arguments)
    assert process.wait_for(6), process.finish()
    process.send(signal.SIGKILL)
    run, whole = (RunFolder(tmp_path / name / "runs" / "one") for name in ("killed", "whole"))
    survived = (run.path / "captions.jsonl").read_bytes()
    assert len(run.load().captions) < 24
    Process(tmp_path / "killed", *arguments).finish()
    check_nothing_was_lost(run, survived, images=24)
    Process(tmp_path / "whole", *arguments).finish()
    assert texts(run) == texts(whole)
    assert run.load().results.scores == whole.load().results.scores
    assert len(run.load().manifest.resumed) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_is_no_error(number: signal.Signals, own: Path, tmp_path: Path) -> None:
    arguments = ["--config-dir", own, "model=scripted", "model.seconds=0.05", "scorer=[bleu]"]
    process = Process(tmp_path, *arguments, "runner.batch_size=1")
    assert process.wait_for(2)
    output = process.send(number)
    assert process.process.returncode == 3
    assert "run the same command again to continue" in output
    assert "Traceback" not in output


def test_two_processes_never_share_a_folder(own: Path, tmp_path: Path) -> None:
    arguments = ["--config-dir", own, "model=scripted", "scorer=[bleu]", "runner.batch_size=1"]
    first = Process(tmp_path, *arguments, "model.seconds=1.0")
    assert first.wait_for(1)
    before = {name: (first.captions.parent / name).read_bytes() for name in ("items.jsonl", "manifest.json")}
    refusals = {
        "limit=150": "another process is writing to runs/one",
        "model.style=odd": "with other options",
    }
    for other, said in refusals.items():
        second = Process(tmp_path, *arguments, other)
        output = second.finish()
        assert second.process.returncode == 2
        assert said in output
        assert "name=..." in output
        assert "Traceback" not in output
    assert {name: (first.captions.parent / name).read_bytes() for name in before} == before
    assert first.process.returncode is None
    first.send(signal.SIGKILL)
    # The lock ends with the process, however it ends.
    assert "report:" in Process(tmp_path, *arguments).finish()
    assert RunFolder(first.captions.parent).load().results.captioned == 200


def limited(folder: Path, size: int | None, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The real command, for which no file can grow beyond `size` bytes: the disk is full."""

    def action() -> None:
        if size is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        command_line(*arguments)()

    return Forked(action, folder).finish()


def survivors(run: RunFolder) -> list[bytes]:
    path = run.path / "captions.jsonl"
    return path.read_bytes().split(b"\n")[:-1] if path.exists() else []


# In turn: nothing can be written, nor all captions, nor the tables, nor the report.
@pytest.mark.parametrize(("size", "captions"), [(0, 0), (6000, 30), (15_000, 60), (40_000, 60)])
def test_a_full_disk_keeps_every_caption(
    tmp_path: Path, own: Path, references: Callable[..., Path], size: int, captions: int
) -> None:
    references({n: [f"a picture {n}"] for n in range(60)})
    arguments: Sequence[object] = [
        *("run", "--config-dir", own, "model=scripted", "data=coco", "data.annotations=references.json"),
        *("name=one", "runner.batch_size=2", "scorer=[bleu,rouge]", f"model.log={tmp_path}/asked"),
    ]
    folder = RunFolder(tmp_path / "runs" / "one")
    done = limited(tmp_path, size, *arguments)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "cannot write" in done.stderr
    assert "File too large" in done.stderr
    kept = survivors(folder)
    assert len(kept) == pytest.approx(captions, abs=8)
    again = limited(tmp_path, None, *arguments)
    assert again.returncode == 0, again.stderr
    assert survivors(folder)[: len(kept)] == kept
    assert folder.load().results.captioned == 60
    asked = [n for line in (tmp_path / "asked").read_text().splitlines() for n in json.loads(line)]
    assert len(asked) <= 60 + 4
    assert (folder.path / "report.html").is_file()
