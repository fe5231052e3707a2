"""What captioning appends: every request that may be billed is known, whatever happens to the process."""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from pathlib import Path

import pytest

from evaluator.core import Caption, Outcome, Reply
from evaluator.core.errors import StoreError
from evaluator.store.ledger import AppendedFile, Ledger, ledger_within
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder
from tests.full_disk import needs_a_small_disk, small_disk


def lines(folder: RunFolder, name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (folder.path / name).read_text().splitlines()]


def test_a_request_counts_with_the_most_it_may_cost_until_its_caption_is_there(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.ledger() as ledger:
        first, second = ledger.sent("1", 0.5), ledger.sent("2", 0.5)
        assert (first, second) == (1, 2)
        ledger.record(Caption("1", Outcome.OK, Reply("a dog"), cost_usd=0.125, requests=(first,)))
        assert ledger.attempts.cost_usd == 0.625
    found = folder.load().attempts
    assert found.cost_usd == 0.625
    assert [line.item_id for line in found.unanswered] == ["2"]
    with folder.ledger() as ledger:
        assert ledger.before.cost_usd == 0.625
        third = ledger.sent("2", 0.5)
        assert third == 3, "the lost request keeps its number, and its cost"
        ledger.record(Caption("2", Outcome.OK, Reply("a cat"), cost_usd=0.25, requests=(third,)))
    assert folder.load().attempts.cost_usd == 0.875


def test_a_failed_attempt_counts_with_what_it_cost(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.ledger() as ledger:
        requests = [ledger.sent("1", 0.5) for _ in range(3)]
        ledger.ended(requests[0], "rate limit: HTTP 429", 0.0, None)
        ledger.ended(requests[1], "malformed answer", 0.125, Reply("", input_tokens=90, output_tokens=0))
        assert ledger.attempts.cost_usd == 0.625
    assert folder.load().attempts.cost_usd == 0.625
    assert [line.request for line in folder.load().attempts.unanswered] == [3]
    assert lines(folder, "requests.jsonl")[3:] == [
        {"request": 1, "error": "rate limit: HTTP 429", "cost_usd": 0.0},
        {
            "request": 2,
            "error": "malformed answer",
            "cost_usd": 0.125,
            "input_tokens": 90,
            "output_tokens": 0,
        },
    ]
    with folder.ledger() as ledger:
        ledger.record(Caption("1", Outcome.ERROR, error="no answer", cost_usd=0.25, requests=(1, 2, 3)))
    assert folder.load().attempts.cost_usd == 0.25


def test_a_model_without_a_price_has_requests_and_no_cost(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.ledger() as ledger:
        ledger.sent("1", None)
    assert folder.load().attempts.cost_usd is None
    assert len(folder.load().attempts.unanswered) == 1


def test_a_local_model_writes_no_requests(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    with folder.ledger() as ledger:
        ledger.record(Caption("1", Outcome.OK, Reply("a dog")))
    assert {path.name for path in folder.path.iterdir()} - {".lock"} == {"captions.jsonl"}
    assert "requests" not in lines(folder, "captions.jsonl")[0]


@pytest.mark.parametrize("cost", ["-0.86", "NaN", "Infinity", "1e400"])
def test_a_recorded_cost_that_cannot_be_meant_gives_no_money_back(cost: str, tmp_path: Path) -> None:
    line = '{"item_id": "1", "outcome": "ok", "reply": {"text": "a dog"}, "error": "", "cost_usd": %s}\n'
    tmp_path.joinpath("captions.jsonl").write_text(line % cost + line % "0.25")
    assert Run(tmp_path).attempts.cost_usd == 0.25


def test_the_next_line_survives_a_torn_one(tmp_path: Path) -> None:
    """A disk that was full for a moment: the write ends in the middle, and the next one succeeds."""
    file = AppendedFile(tmp_path / "lines")
    real = file.file

    class Full:
        def write(self, data: bytes) -> int:
            if real.tell():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real.write(data[:4])

    file.file = Full()  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space left"):
        file.append(b'{"a": 1}\n')
    file.file = real
    file.append(b'{"b": 2}\n')
    file.close()
    assert (tmp_path / "lines").read_bytes().split(b"\n") == [b'{"a"', b'{"b": 2}', b""]


@needs_a_small_disk
def test_on_a_full_disk_the_answers_in_flight_are_recorded(tmp_path: Path) -> None:
    """Requests are sent until the disk is full. All 20 answers that are then in flight find their space."""
    with small_disk(tmp_path / "disk", kilobytes=200) as disk:
        folder, recorded = RunFolder(disk / "run"), 0
        with folder.ledger() as ledger:
            ledger.reserve(20)
            in_flight = [ledger.sent(str(number), 0.5) for number in range(20)]
            fill(disk)
            with pytest.raises(StoreError, match="No space left"):
                send_until_full(ledger)
            for request in in_flight:
                reply = Reply("a dog on a red sofa " * 40)
                ledger.record(Caption(str(request), Outcome.OK, reply, cost_usd=0.1, requests=(request,)))
                recorded += 1
            with pytest.raises(StoreError, match="No space left"):
                ledger.sent("more", 0.5)
        assert len(folder.load().captions) == recorded == 20
        with folder.ledger() as ledger:
            fill(disk)
            with pytest.raises(StoreError, match="No space left"):
                ledger.reserve(20)


def send_until_full(ledger: Ledger) -> None:
    for number in range(1000):
        ledger.sent(f"more {number}", 0.5)


def fill(disk: Path) -> None:
    """Take all the space that is left."""
    with (disk / "filler").open("ab", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(1024))


def test_a_key_in_an_answer_is_masked_before_it_is_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OWN_SERVICE_TOKEN", "own-token-2718281828459045")
    folder = RunFolder(tmp_path / "run")
    with folder.ledger() as ledger:
        said = "own-token-2718281828459045 and sk-proj-abcdefgh12345678"
        ledger.ended(ledger.sent("1", 0.5), f"refused {said}", 0.0, None)
        ledger.record(Caption("1", Outcome.OK, Reply(said, finish_reason=said), error=said))
    text = "".join(path.read_text() for path in folder.path.glob("*.jsonl"))
    assert "own-token" not in text
    assert "sk-proj" not in text
    assert folder.load().captions["1"].text == "*** and ***"


def test_two_commands_do_not_ask_the_same_questions_at_once(tmp_path: Path) -> None:
    """Also where no run's lock keeps them apart, as with judges of the arena."""
    folder = tmp_path / "judgements" / "gemini-pair"
    with (
        ledger_within(folder),
        pytest.raises(
            StoreError, match=r"another process is writing to .*gemini-pair\. Wait for it, or type"
        ),
        ledger_within(folder),
    ):
        pass
    with ledger_within(folder) as free:
        free.record(Caption("1", Outcome.OK, Reply("a")))
