"""What the runner costs beside preparing pictures and generating captions: local models on this machine.

    python benchmarks/local.py [IMAGES] [ROUNDS]

The demo's three models caption pictures from files, on the CPU, with one thread of torch. Each round measures
apart, in turn, since machines do other things at the same time: preparing all pictures one after the other;
generating from what was prepared, with the runner's batches; the whole run, from files to captions in the
ledger; and a loop that prepares and captions one picture at a time. Each figure is the median over the
rounds.

    cpu_share          CPU seconds of preparing and generating / those of the whole run
    beside_share       the same, where a second process prepares while this one generates, and nothing goes
                       from one to the other: what the machine costs when two of its CPUs are busy
    share_of_ideal     what these seconds allow / the time of the whole run. One process generates in one
                       thread, so that no run is faster than generating alone, nor than all CPUs together
    one_by_one_ratio   CPU seconds of one picture at a time / those of the whole run
    two_workers_ratio  images per second of two processes on two CPUs / those of one process on one of them,
                       which prepares its pictures on the same CPU
    memory_slope_mb_per_1000   growth of the memory, after the first thousand images

The last line is one JSON object, with the worst of the three models. benchmarks/local_gpu.py is the same on a
GPU.
"""

from __future__ import annotations

import os

os.environ["OMP_NUM_THREADS"] = "1"  # before torch is imported

import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import torch

from evaluator.config.run_config import run_configs
from evaluator.core import Caption, Captioner, Item, Prompt, Session
from evaluator.core.cpus import allowed_cpus
from evaluator.runner.batch_size import USUAL
from evaluator.runner.default import DefaultRunner
from evaluator.store.run_folder import RunFolder
from tools.demo.scenes import draw, training_scenes

MODELS = ("tiny-git", "tiny-blip", "tiny-blip2")
IMAGES = 2_000
ROUNDS = 3
MEMORY_IMAGES = 5_000
WORKERS_IMAGES = 600
PROMPT = Prompt("none")


# --- pictures, and a model that is loaded already ----------------------------------------------------------


def write_pictures(folder: Path, count: int) -> list[Item]:
    """Scenes that the demo's models were not tested on, as JPEG files."""
    folder.mkdir()
    items = [Item(str(number), folder / f"{number}.jpg") for number in range(count)]
    for item, scene in zip(items, training_scenes(2_000_000), strict=False):
        assert item.image is not None
        draw(scene).save(item.image, quality=90)
    return items


@dataclass(frozen=True)
class Loaded:
    """A captioner whose weights are in memory, so that loading them is not measured."""

    session: Any

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return ()

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[Session]:
        yield self.session


def captioner(name: str) -> Captioner:
    (config,) = run_configs([f"model={name}", "data=demo"])
    return config.model


def whole_run(model: Captioner, items: Sequence[Item], runner: DefaultRunner) -> list[float]:
    """From files to captions in a ledger; when each caption was recorded."""
    times: list[float] = []
    with tempfile.TemporaryDirectory() as name, RunFolder(Path(name) / "run").ledger() as ledger:

        def record(caption: Caption) -> None:
            assert caption.text, caption.error
            ledger.record(caption)
            times.append(time.perf_counter())

        runner.run(model, PROMPT, items, record)
    assert len(times) == len(items)
    return times


# --- the measurements --------------------------------------------------------------------------------------


class Cost(NamedTuple):
    """In seconds; those of the CPU are of this process and of all that it has waited for."""

    wall: float
    cpu: float

    @classmethod
    def of(cls, work: Callable[[], Any]) -> Cost:
        wall, cpu = time.perf_counter(), cpu_seconds()
        work()
        return cls(time.perf_counter() - wall, cpu_seconds() - cpu)


def cpu_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


class Round(NamedTuple):
    """What preparing, generating, both at once, the whole run, and one picture at a time took."""

    prepare: Cost
    generate: Cost
    beside: Cost
    whole: Cost
    one: Cost

    @property
    def figures(self) -> dict[str, float]:
        parts = self.prepare.cpu + self.generate.cpu
        ideal = max(self.generate.wall, (self.prepare.wall + self.generate.wall) / allowed_cpus())
        return {
            "cpu_share": parts / self.whole.cpu,
            "beside_share": self.beside.cpu / self.whole.cpu,
            "share_of_ideal": ideal / self.whole.wall,
            "one_by_one_ratio": self.one.cpu / self.whole.cpu,
        }


def compared(name: str, items: Sequence[Item], rounds: int) -> dict[str, float]:
    """The whole run beside its parts, in turn."""
    with captioner(name).open(PROMPT) as session:
        whole_run(Loaded(session), items[:64], DefaultRunner())  # what is done once is not counted
        results = [measured(session, items) for _ in range(rounds)]
    for part, costs in zip(Round._fields, zip(*results, strict=True), strict=True):
        seconds = "  ".join(f"{cost.wall:6.2f} ({cost.cpu:6.2f})" for cost in costs)
        print(f"  {part:8}  {seconds}  seconds (of CPU)")
    print(f"  {len(items) / median(result.whole.wall for result in results):.1f} images/s", flush=True)
    return {key: median(result.figures[key] for result in results) for key in results[0].figures}


def measured(session: Any, items: Sequence[Item]) -> Round:
    """One round; the loop of one picture at a time sees a 20th of the items, and is counted as for all."""
    few = items[: max(1, len(items) // 20)]
    prepared: list[Any] = []

    def prepare() -> None:
        prepared.extend(map(session.prepare, items))

    def generate() -> None:
        for start in range(0, len(items), USUAL):
            session.caption(prepared[start : start + USUAL])

    def both_at_once() -> None:
        preparing = multiprocessing.get_context("fork").Process(target=prepare_in_process)
        preparing.start()
        generate()
        preparing.join()

    def prepare_in_process() -> None:
        torch.set_num_threads(1)  # its threads were not forked
        for item in items:
            session.prepare(item)

    def one_by_one() -> None:
        for item in few:
            session.caption([session.prepare(item)])

    return Round(
        Cost.of(prepare),
        Cost.of(generate),
        Cost.of(both_at_once),
        Cost.of(lambda: whole_run(Loaded(session), items, DefaultRunner())),
        Cost(*(seconds * len(items) / len(few) for seconds in Cost.of(one_by_one))),
    )


def two_workers(name: str, items: Sequence[Item], rounds: int) -> float:
    """How much faster two processes on two CPUs are than one process on one of them.

    One process that may use both is faster than that, because it prepares its pictures on the second one; it
    is printed as well. Loading is not counted: the speed is that of the middle three quarters of the images.
    """
    cpus = sorted(os.sched_getaffinity(0))
    ways = {"one on one CPU": ("cpu", cpus[:1]), "one": ("cpu", cpus[:2]), "two": ("cpu*2", cpus[:2])}
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, (devices, allowed) in ways.items():
            os.sched_setaffinity(0, allowed)
            runner = DefaultRunner(devices=devices, decode_in="threads", decode_workers=1)
            times = whole_run(captioner(name), items, runner)
            seconds[way].append(times[-len(times) // 8] - times[len(times) // 8])
    os.sched_setaffinity(0, cpus)
    speeds = {way: len(items) * 0.75 / median(each) for way, each in seconds.items()}
    print("  images/s: " + ", ".join(f"{way} {speed:.1f}" for way, speed in speeds.items()), flush=True)
    return speeds["two"] / speeds["one on one CPU"]


def memory_slope(name: str, items: Sequence[Item]) -> float:
    """MB per 1,000 images, by least squares over the run after its first thousand images."""
    sizes: list[float] = []
    with (
        tempfile.TemporaryDirectory() as folder,
        captioner(name).open(PROMPT) as session,
        RunFolder(Path(folder) / "run").ledger() as ledger,
    ):
        number = count(1)

        def record(caption: Caption) -> None:
            ledger.record(caption)
            if next(number) % 100 == 0:
                sizes.append(resident_mb())

        DefaultRunner().run(Loaded(session), PROMPT, items, record)
    later = sizes[min(10, len(sizes) // 2) :]
    slope = float(np.polyfit(np.arange(len(later)) / 10, later, 1)[0])
    print(f"  memory from {sizes[0]:.0f} to {sizes[-1]:.0f} MB over {len(items):,} images", flush=True)
    return slope


def resident_mb() -> float:
    """Of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def main(images: int, rounds: int) -> None:
    figures: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as name:
        memory_images = MEMORY_IMAGES * images // IMAGES
        items = write_pictures(Path(name) / "pictures", max(images, memory_images))
        for model in MODELS:
            print(f"{model}, {images:,} pictures, {rounds} rounds", flush=True)
            figures.append(compared(model, items[:images], rounds))
            few = items[: WORKERS_IMAGES * images // IMAGES]
            figures[-1]["two_workers_ratio"] = two_workers(model, few, rounds)
        slope = memory_slope(MODELS[-1], items[:memory_images])
    worst = {key: round(min(each[key] for each in figures), 4) for key in figures[0]}
    print(json.dumps(worst | {"memory_slope_mb_per_1000": round(slope, 4)}))


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*(arguments + [IMAGES, ROUNDS][len(arguments) :]))
