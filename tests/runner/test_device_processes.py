"""Several processes on this machine's CPU, as one would have on several GPUs: real ones, really killed."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from evaluator.core import Caption, Item, Outcome, Prompt, Reply
from evaluator.core.cpus import allowed_cpus
from evaluator.core.errors import CaptionError, ConfigError, ImageError, ModelError
from evaluator.runner.default import DefaultRunner
from evaluator.runner.device_worker import with_times
from evaluator.runner.devices import devices_for, named_devices
from evaluator.store.counts import images_per_second

NONE = Prompt("none")
TWO = ("cpu", "cpu")


@dataclass(frozen=True)
class Scripted:
    """A captioner that says what is scripted in its items' ids; `deaths` is a file of what has died."""

    deaths: Path
    device: str = "auto"
    fails_to_load: bool = False

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Scripted]:
        if self.fails_to_load:
            raise ModelError("there is no such checkpoint")
        logging.getLogger("evaluator").warning("loaded with %g CPUs", allowed_cpus())
        yield self

    def prepare(self, item: Item) -> str:
        if "torn" in item.id:
            raise ImageError(f"{item.id} cannot be read")
        return item.id

    def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
        for name in prepared:
            died_before = self.deaths.exists() and name in self.deaths.read_text().split()
            if "always" in name or ("once" in name and not died_before):
                with self.deaths.open("a") as file:
                    file.write(f"{name}\n")
                os.kill(os.getpid(), signal.SIGKILL)
        return [Reply(f"picture {name} in process {os.getpid()}") for name in prepared]


def run(
    captioner: Scripted, names: Sequence[str], devices: tuple[str, ...] = TWO, batch_size: int = 4
) -> dict[str, Caption]:
    """The captions by item. An item that is captioned twice fails."""
    captions: dict[str, Caption] = {}

    def record(caption: Caption) -> None:
        assert captions.setdefault(caption.item_id, caption) is caption

    runner = DefaultRunner(batch_size=batch_size, devices=devices, stop_after_failures=None)
    runner.run(captioner, NONE, [Item(name, None) for name in names], record)
    return captions


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system kills processes in another way")
def test_workers_that_are_killed_lose_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    names = [f"{number}" for number in range(40)]
    names[3], names[10], names[20] = "once", "torn", "always"
    captions = run(Scripted(tmp_path / "deaths"), names)
    assert captions.keys() == set(names)
    failed = {name: caption.error for name, caption in captions.items() if caption.outcome is not Outcome.OK}
    assert failed == {
        "torn": "torn cannot be read",
        "always": "the process on cpu ended with exit code -9 while it captioned this image alone",
    }
    texts = {name: caption.text for name, caption in captions.items() if caption.text}
    assert all(text.startswith(f"picture {name} in") for name, text in texts.items())
    assert len({text.rpartition(" ")[2] for text in texts.values()}) > 1, "one process did everything"
    assert "another one takes its place" in caplog.text
    # What workers log is logged here, and each has its share of the CPUs.
    assert f"cpu: loaded with {allowed_cpus() / 2:g} CPUs" in caplog.text


def test_a_model_that_cannot_be_loaded(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cpu: there is no such checkpoint"):
        run(Scripted(tmp_path / "deaths", fails_to_load=True), ["a", "b"])


def test_the_names_of_devices(tmp_path: Path) -> None:
    captioner = Scripted(tmp_path)
    assert named_devices(1) == ["cuda:1"]
    assert named_devices("0,1") == named_devices((0, "1")) == ["cuda:0", "cuda:1"]
    assert named_devices("cpu * 2") == ["cpu", "cpu"]
    assert named_devices("cuda:3,cpu") == ["cuda:3", "cpu"]
    for wrong in ("", "0,", "cpu*0", "auto,0", "*2"):
        with pytest.raises(ConfigError, match=r"runner\.devices"):
            named_devices(wrong)
    assert devices_for(Scripted(tmp_path, device="cuda:1"), "auto") == []
    assert devices_for(captioner, "cpu*2") == ["cpu", "cpu"]


def test_a_model_without_devices(tmp_path: Path) -> None:
    from evaluator.models.replay import Replay

    with pytest.raises(ConfigError, match="Replay runs on no device"):
        devices_for(Replay(tmp_path / "captions.json"), "cpu*2")


def test_devices_at_work_at_the_same_time_add_their_speed() -> None:
    batch = [Caption(str(number), Outcome.OK, seconds=0.5) for number in range(4)]
    timed = with_times(batch, now=100.0)
    assert [caption.answered_at for caption in timed] == [98.5, 99.0, 99.5, 100.0]
    assert images_per_second(timed) == 2.0
    assert images_per_second([*timed, *timed]) == 4.0
