"""Many captions at 200 in flight, one request in twenty failing, and kill -9: every count must come out even.

The whole command in a process of its own, against the service in another. EVALUATOR_SOAK_IMAGES sets how many
captions; 20,000 take some minutes.
"""

from __future__ import annotations

import base64
import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Outcome
from evaluator.runner import limits
from evaluator.store.run_folder import RunFolder
from tests.forked import Forked, command_line
from tests.runner.conftest import Server

IMAGES = int(os.environ.get("EVALUATOR_SOAK_IMAGES", "2000"))
IN_FLIGHT = 200
MOST_USD = 0.0012  # of a request: at most 100 + 20 tokens at $10 a million
PATIENCE_SECONDS = 60 + IMAGES / 10
KEY = "sk-this-is-the-secret-of-the-test"


class Soak:
    """The command over `IMAGES` different small pictures."""

    def __init__(self, folder: Path, conf: Path, server: Server, *options: str) -> None:
        self.folder, self.run = folder, RunFolder(folder / "runs" / "soak")
        pictures = folder / "pictures"
        pictures.mkdir()
        for number in range(IMAGES):
            (pictures / f"{number}.png").write_bytes(picture(number))
        references = {
            "images": [{"id": number, "file_name": f"{number}.png"} for number in range(IMAGES)],
            "annotations": [{"image_id": number, "caption": "a picture"} for number in range(IMAGES)],
        }
        (folder / "references.json").write_text(json.dumps(references))
        (folder / "prices.yaml").write_text("test-model: {input: 10, output: 10}\n")
        self.line = [
            *("run", "--config-dir", conf, "model=remote", f"model.url={server.url}", "data=coco"),
            *(
                "data.annotations=references.json",
                "data.images=pictures",
                "prices=prices.yaml",
                "name=soak",
                "scorer=[bleu]",
                "resamples=10",
            ),
            *(f"runner.requests.in_flight={IN_FLIGHT}", *options),
        ]

    def start(self) -> Forked:
        return Forked(self.impatient, self.folder, os.environ | {"REMOTE_API_KEY": KEY})

    def impatient(self) -> None:
        """The command, with short waits between attempts."""
        limits.FIRST_WAIT_SECONDS = 0.1
        command_line(*self.line)()

    def to_its_end(self) -> str:
        done = self.start().finish(PATIENCE_SECONDS)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    def until(self, captions: int, end: signal.Signals) -> str:
        """Send it `end` when it has recorded so many."""
        process, deadline = self.start(), time.monotonic() + PATIENCE_SECONDS
        while self.content().count(b"\n") < captions:
            assert process.returncode is None, process.finish()
            assert time.monotonic() < deadline, "it neither captions nor ends"
            time.sleep(0.05)
        process.send_signal(end)
        done = process.finish(PATIENCE_SECONDS)
        return done.stdout + done.stderr

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.content().split(b"\n")[:-1] if line]

    def content(self) -> bytes:
        path = self.run.path / "captions.jsonl"
        return path.read_bytes() if path.exists() else b""

    def check_every_image_has_one_outcome(self) -> None:
        captions = self.run.load().captions
        assert Counter(caption.outcome for caption in captions.values()) == {Outcome.OK: IMAGES}
        recorded = Counter(line["item_id"] for line in self.lines() if line["outcome"] == "ok")
        assert recorded == Counter(dict.fromkeys(map(str, range(IMAGES)), 1))
        for name, caption in captions.items():
            assert caption.text == f"a picture of {name}"


def picture(number: int) -> bytes:
    """Bytes to be found again wherever they might leak."""
    return b"the bytes of picture %06d" % number


@pytest.fixture
def faulty(server: Server) -> Server:
    server.behave(seconds=0.05, fault_share=0.05, seed=1)
    return server


@pytest.mark.parametrize("cache", ["off", "read"])
def test_without_a_kill_each_answer_is_paid_for_once(
    cache: str, faulty: Server, own: Path, tmp_path: Path
) -> None:
    soak = Soak(tmp_path, own, faulty, f"cache={cache}")
    soak.to_its_end()
    soak.check_every_image_has_one_outcome()
    assert sum(faulty.answered.values()) == IMAGES
    assert faulty.counts()["statuses"]["429"] > 0
    # A request whose connection broke may have been billed: it counts with the most it can have cost.
    answered_usd = 0.001 * IMAGES
    cost_usd = soak.run.load().results.cost_usd or 0.0
    assert answered_usd <= cost_usd + 1e-9
    statuses = faulty.counts()["statuses"]
    lost = sum(statuses.get(fault, 0) for fault in ("drop", "torn", "malformed"))
    assert cost_usd == pytest.approx(answered_usd + lost * MOST_USD)
    before = faulty.requests
    soak.to_its_end()
    assert faulty.requests == before, "a complete run asked again"


@pytest.mark.parametrize("cache", ["off", "read"])
def test_a_kill_loses_no_more_than_was_on_its_way(
    cache: str, faulty: Server, own: Path, tmp_path: Path
) -> None:
    soak = Soak(tmp_path, own, faulty, f"cache={cache}")
    soak.until(IMAGES // 2, signal.SIGKILL)
    survived = {
        line["item_id"] for line in soak.lines() if line["outcome"] == "ok"
    }  # an error is tried again
    answered = faulty.answered
    assert IMAGES // 2 <= len(survived) < IMAGES
    assert sum(answered.values()) - len(survived) <= IN_FLIGHT
    soak.to_its_end()
    soak.check_every_image_has_one_outcome()
    at_last = faulty.answered
    assert sum(at_last.values()) - IMAGES <= IN_FLIGHT
    again = {name: (answered.get(name), at_last[name]) for name in survived}
    assert not {name: counts for name, counts in again.items() if counts[0] != counts[1]}, (
        "a recorded answer was asked for again"
    )


def test_ctrl_c_loses_nothing_at_all(faulty: Server, own: Path, tmp_path: Path) -> None:
    soak = Soak(tmp_path, own, faulty, "cache=off")
    output = soak.until(IMAGES // 3, signal.SIGINT)
    assert "All captions so far are saved" in output
    assert sum(faulty.answered.values()) == len(soak.lines()) < IMAGES
    soak.to_its_end()
    soak.check_every_image_has_one_outcome()
    assert sum(faulty.answered.values()) == IMAGES


def test_no_key_and_no_picture_in_any_file(faulty: Server, own: Path, tmp_path: Path) -> None:
    """Of the run, the cache and the log, after one that was killed and went on."""
    soak = Soak(tmp_path, own, faulty)
    log = soak.until(IMAGES // 2, signal.SIGKILL) + soak.to_its_end()
    written = [
        path for place in ("runs", "cache") for path in (tmp_path / place).rglob("*") if path.is_file()
    ]
    assert any(path.suffix == ".sqlite" for path in written)
    assert any(path.name == "captions.jsonl" for path in written)
    for content in (log.encode(), *(path.read_bytes() for path in written)):
        assert KEY.encode() not in content
        assert b"uthorization" not in content
        assert picture(7)[:16] not in content
        assert base64.b64encode(picture(7))[:24] not in content
