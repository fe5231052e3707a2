"""Captions from a real Ray on this machine: real processes, really killed."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from evaluator.config.run_config import run_configs
from evaluator.core import Caption, Item, Outcome, Prompt, Reply, Runner
from evaluator.core.errors import CaptionError, ConfigError, ModelError
from evaluator.runner import ray_cluster
from evaluator.runner.default import DefaultRunner
from evaluator.runner.ray_pools import Pools, captions_on_ray
from evaluator.runner.ray_runner import RayRunner
from evaluator.runner.ray_workers import Broken, Captioning, Work, table_of, values_of
from tests.runner.test_device_processes import Scripted

if not find_spec("ray"):  # which must not be imported before the environment is right
    pytest.skip("ray is not installed", allow_module_level=True)

ROOT = Path(__file__).parents[2]
NONE = Prompt("none")
IMAGES = 60
PATIENCE_SECONDS = 240.0
# Ray's own code uses names that it has replaced.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray[.]")


# Starts Ray, and ends with it where nobody keeps its input open any more.
HOLDER = """
import os, sys
from evaluator.runner import ray_cluster
ray_cluster.import_ray(None)
ray_cluster.start(cpus=3, object_store_gb=0.2)
import ray
print(ray.get_runtime_context().gcs_address, os.environ["RAY_AUTH_TOKEN_PATH"], flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a Ray on this machine, which ends with the process that started it."""
    paths = os.pathsep.join([str(ROOT / "tests" / "own"), str(ROOT)])
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": paths},
        text=True,
    )
    assert holder.stdin is not None
    assert holder.stdout is not None
    with holder.stdin, holder.stdout, pytest.MonkeyPatch.context() as patch:
        try:
            address, token = holder.stdout.readline().split()
            assert address.startswith("127.0.0.1:")
            patch.setenv("RAY_AUTH_MODE", "token")
            patch.setenv("RAY_AUTH_TOKEN_PATH", token)
            yield address
            ray_cluster.end()
        finally:
            started = descendants(holder.pid)
            holder.kill()
            holder.wait()
        shutil.rmtree(Path(token).parent)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while (left := [pid for pid in started if is_alive(pid)]) and time.monotonic() < deadline:
            time.sleep(0.1)
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        assert not left, "Ray is still there after the process that started it was killed"


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    except OSError:
        return False


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have started."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return [each for child in children for each in (child, *descendants(child))]


def run(captioner: Scripted, names: Sequence[str], runner: RayRunner) -> dict[str, Caption]:
    """The captions by item. An item that is captioned twice fails."""
    captions: dict[str, Caption] = {}

    def record(caption: Caption) -> None:
        assert captions.setdefault(caption.item_id, caption) is caption

    runner.run(captioner, NONE, [Item(name, None) for name in names], record)
    return captions


def test_a_worker_that_is_killed_loses_nothing(
    cluster: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    names = ["0", "1", "2", "always", "torn", "5"]
    runner = RayRunner(address=cluster, batch_size=1, stop_after_failures=None)
    captions = run(Scripted(tmp_path / "deaths"), names, runner)
    assert captions.keys() == set(names)
    failed = {name: caption.error for name, caption in captions.items() if caption.outcome is not Outcome.OK}
    assert failed == {
        "torn": "torn cannot be read",
        "always": "the process on the cluster died while it captioned this image alone",
    }
    texts = {name: caption.text for name, caption in captions.items() if caption.text}
    assert all(text.startswith(f"picture {name} in") for name, text in texts.items())
    assert len({text.rpartition(" ")[2] for text in texts.values()}) > 1, "one process did everything"
    assert "lost with their processes; each is tried again alone" in caplog.text
    assert "loaded with" in caplog.text  # what the processes log, the command logs


class Odd(Scripted):
    """The GPU fails at the picture `odd`."""

    def caption(self, prepared: Sequence[str]) -> list[Reply | CaptionError]:
        if "odd" in prepared:
            raise RuntimeError("CUDA error: this is odd")
        return [Reply(name) for name in prepared]


class PoolsHere(Pools):
    """What the pools do, in this process: a task with the item `always` dies, and "unlucky" does so once."""

    def dataset(self, work: Work, parts: Sequence[Sequence[Item]], is_alone: bool) -> Any:
        return SimpleNamespace(iter_batches=lambda **options: self._answers(work, parts, is_alone))

    @staticmethod
    def _answers(work: Work, parts: Sequence[Sequence[Item]], is_alone: bool) -> Iterator[Any]:
        for part in parts:
            ids = {item.id for item in part}
            if "always" in ids or ("unlucky" in ids and not is_alone):
                continue
            answers = Captioning(work)(table_of(part))
            yield from (answers, answers)  # a task that runs again answers again


@pytest.fixture
def own_logging(monkeypatch: pytest.MonkeyPatch) -> None:
    """A process of a pool sets its logging up; here it is that of the tests."""
    logger = logging.getLogger("evaluator")
    for name in ("handlers", "propagate", "level"):
        monkeypatch.setattr(logger, name, getattr(logger, name))


@pytest.mark.usefixtures("own_logging")
def test_images_of_lost_processes_are_captioned_alone(tmp_path: Path) -> None:
    items = [Item(name, None) for name in ("0", "always", "2", "odd", "4", "5", "unlucky", "7")]
    work = Work(Odd(tmp_path), NONE, 1, Path.cwd(), logging.INFO)
    pools = PoolsHere((1, 1), 1, 0, (1, 1))
    assert pools.images_per_task(len(items), work.batch_size) == 2
    captions = [one for batch in captions_on_ray(work, items, pools, lambda *_: None) for one in batch]
    assert sorted(caption.item_id for caption in captions) == sorted(item.id for item in items)
    assert {caption.item_id: caption.error for caption in captions if caption.error} == {
        "always": "the process on the cluster died while it captioned this image alone",
        "odd": "the model failed at this image alone: RuntimeError: CUDA error: this is odd",
    }
    with pytest.raises(ModelError, match="die whatever they caption"):
        list(captions_on_ray(work, [Item("always", None)], pools, lambda *_: None))


@pytest.mark.usefixtures("own_logging")
def test_a_process_that_failed_ends_before_its_next_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    captioning = Captioning(Work(Odd(tmp_path), NONE, 1, Path.cwd(), logging.INFO))
    captions, broken, *_ = values_of(captioning(table_of([Item("0", None), Item("odd", None)])))
    assert [caption.item_id for caption in captions] == ["0"]
    assert isinstance(broken, Broken)
    assert broken.item_ids == ("odd",)
    monkeypatch.setattr(os, "_exit", sys.exit)
    with pytest.raises(SystemExit):
        captioning(table_of([Item("2", None)]))


def test_a_model_that_cannot_be_loaded(cluster: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="there is no such checkpoint"):
        run(Scripted(tmp_path / "deaths", fails_to_load=True), ["a", "b"], RayRunner(address=cluster))


def test_captions_of_two_actors_are_those_of_this_process(cluster: str) -> None:
    pytest.importorskip("torch")
    (config,) = run_configs(["model=tiny-git", "data=demo"])
    items = list(config.data.load())[:IMAGES]
    items[7] = replace(items[7], image=items[7].image.with_name("none.png"))  # type: ignore[union-attr]

    def captions(runner: Runner) -> dict[str, tuple[str | None, str]]:
        found: list[Caption] = []
        runner.run(config.model, config.prompt, items, found.append)
        assert sorted(caption.item_id for caption in found) == sorted(item.id for item in items)
        return {caption.item_id: (caption.text, caption.error) for caption in found}

    assert captions(RayRunner(address=cluster, actors=2, batch_size=8)) == captions(DefaultRunner())


def test_a_command_that_is_killed_continues(cluster: str, own: Path, tmp_path: Path) -> None:
    line = [sys.executable, "-m", "evaluator", "run", f"--config-dir={own}", "data=demo", "limit=40"]
    line += ["model=scripted", "model.seconds=0.2", f"model.log={tmp_path / 'asked'}", "scorer=[words]"]
    line += [
        "runner=ray",
        f"runner.address={cluster}",
        "runner.batch_size=1",
        f"runs={tmp_path}",
        "name=killed",
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT / "tests" / "own"), str(ROOT)])}
    recorded = tmp_path / "killed" / "captions.jsonl"

    def lines() -> list[bytes]:
        return recorded.read_bytes().splitlines(keepends=True) if recorded.exists() else []

    process = subprocess.Popen(line, env=environment, cwd=tmp_path)
    try:
        while len(lines()) < 5 and process.poll() is None:
            time.sleep(0.05)
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()
    before = lines()
    assert 5 <= len(before) < 40
    subprocess.run(line, env=environment, cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    times = Counter(json.loads(each)["item_id"] for each in lines())
    assert len(times) == 40
    assert set(times.values()) == {1}
    assert lines()[: len(before)] == before


def test_no_cluster_at_that_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(ConfigError, match=rf"no Ray cluster at '127\.0\.0\.1:{port}'"):
        ray_cluster.check_address(f"127.0.0.1:{port}")


def test_options_that_do_not_fit() -> None:
    git = run_configs(["model=tiny-git", "model.device=cuda:1"])[0].model
    with pytest.raises(ConfigError, match="Ray chooses the GPU of each process"):
        RayRunner().check(git, NONE)
    with pytest.raises(ConfigError, match=r"type 'runner\.actors=\[2,8\]'"):
        RayRunner(actors=(8, 2)).check(replace(git, device="auto"), NONE)
    (config,) = run_configs(["model=tiny-git", "runner=ray", "runner.actors=[2,8]", "runner.gpus=0.5"])
    assert config.runner == RayRunner(actors=(2, 8), gpus=0.5)
