"""The threads and processes that prepare pictures, also where one of them is killed."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from evaluator.core import Item
from evaluator.core.errors import CaptionError, ImageError, Outcome
from evaluator.runner.picture_workers import CAN_FORK, picture_workers
from evaluator.runner.preparation import prepare_ahead, prepared_or_error

needs_fork = pytest.mark.skipif(not CAN_FORK, reason="this system cannot fork")


def prepare(item: Item) -> object:
    match item.id:
        case "killer":
            os.kill(os.getpid(), signal.SIGKILL)
        case "torn":
            raise ImageError("torn")
        case "no picture":
            raise CaptionError(Outcome.ERROR, "no picture")
        case "strange":
            raise OverflowError("too large")
    return {"name": item.id}


@needs_fork
def test_a_picture_that_kills_its_process_is_the_only_one_lost(caplog: pytest.LogCaptureFixture) -> None:
    names = [str(number) for number in range(60)]
    names[9], names[30], names[31] = "torn", "no picture", "strange"
    names[12] = names[40] = "killer"
    items = [Item(name, None) for name in names]
    with (
        caplog.at_level(logging.WARNING),
        picture_workers(lambda item: prepared_or_error(prepare, item), 2, "processes") as workers,
    ):
        found = list(prepare_ahead(workers, items, ahead=lambda: 16))
    assert [item.id for item, _ in found] == names, "not in order"
    for name, prepared in ((item.id, prepared) for item, prepared in found):
        if name == "killer":
            assert isinstance(prepared, ImageError)
            assert "killed its process" in str(prepared)
        elif name.isdigit():
            assert prepared == {"name": name}
    errors = {
        name: repr(prepared) for (item, prepared), name in zip(found, names, strict=True) if item.id in names
    }
    assert errors["torn"] == "ImageError('torn')"
    assert errors["no picture"] == "CaptionError('no picture')"
    assert "OverflowError: too large" in errors["strange"]
    assert "was killed" in caplog.text


@needs_fork
def test_tensors_come_back_as_they_were() -> None:
    torch = pytest.importorskip("torch")
    sent = {
        "pixels": torch.arange(12.0).reshape(3, 4),
        "mask": torch.tensor([True, False]),
        "half": torch.ones(2, dtype=torch.bfloat16),
    }
    with picture_workers(lambda item: sent, 1, "processes") as workers:
        [(_, found)] = prepare_ahead(workers, [Item("a", None)], ahead=lambda: 4)
    for name, tensor in sent.items():
        assert found[name].dtype == tensor.dtype
        assert torch.equal(found[name], tensor)


@needs_fork
def test_processes_end_with_the_one_that_they_work_for(tmp_path: Path) -> None:
    """It is killed while they have work: nobody else would end them."""
    program = """
        import os, sys, time
        from evaluator.core import Item
        from evaluator.runner.picture_workers import picture_workers

        def prepare(item):
            os.write(1, f"{os.getpid()}\\n".encode())  # at once, so that two of them do not mix
            time.sleep(60)

        with picture_workers(prepare, 2, "processes") as workers:
            results = [workers.start([Item(str(number), None)]) for number in range(4)]
            time.sleep(60)
    """
    line = [sys.executable, "-c", textwrap.dedent(program)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        workers = [int(process.stdout.readline()) for _ in range(2)]
        assert workers[0] != workers[1]
        process.kill()
        # The pipe ends when the last process that could write to it has ended.
        assert process.stdout.read() == ""
