"""What a Ray cluster costs beside one process, and what is lost where its processes are killed.

    python benchmarks/cluster.py [IMAGES] [ROUNDS] [KILLED]      # 5000 2 20000

A demo model captions pictures from files on the CPU, with one thread of torch. First without a cluster and
with `runner=ray` and one actor, in turn; the best of the rounds counts, and only the middle three quarters of
the images, so that no start is measured.

    ray_share   images per second with one actor / without a cluster

Then two actors caption KILLED pictures, by the command line. An actor is killed after a quarter of them, and
the command itself (kill -9) after a half; the same command is typed again.

    every_image_once   whether captions.jsonl has one line for each image
    captions_equal     whether all captions are those of one process without a cluster
    processes_left     how many processes of the killed command were there a minute later

With a KILLED of 0, this part is left out. The last line is one JSON object. Linux only: it reads /proc.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from local import PROMPT, captioner, whole_run, write_pictures

from evaluator.runner.default import DefaultRunner
from evaluator.runner.ray_runner import RayRunner

MODEL = "tiny-git"
IMAGES, ROUNDS, KILLED = 5_000, 2, 20_000
CAPTIONER = "ray::MapWorker(MapBatches(Captioning))"  # what the system calls such a process
PATIENCE_SECONDS = 900.0


def ray_share(images: int = IMAGES, rounds: int = ROUNDS) -> float:
    """Images per second with one actor as a share of those without a cluster."""
    seconds: dict[str, list[float]] = {"default": [], "ray": []}
    with tempfile.TemporaryDirectory() as name:
        items = write_pictures(Path(name) / "pictures", images)
        for _ in range(rounds):
            for runner in (DefaultRunner(), RayRunner()):
                times = whole_run(captioner(MODEL), items, runner)
                seconds[runner.kind].append(times[-len(times) // 8] - times[len(times) // 8])
                print(
                    f"  {runner.kind:8} {0.75 * images / seconds[runner.kind][-1]:7.1f} images/s", flush=True
                )
    return min(seconds["default"]) / min(seconds["ray"])


def killed(images: int = KILLED) -> dict[str, Any]:
    """Two actors, one of which is killed; then the command is killed, and typed again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        items = write_pictures(folder / "pictures", images)
        expected: dict[str, str | None] = {}
        DefaultRunner().run(
            captioner(MODEL), PROMPT, items, lambda caption: expected.update({caption.item_id: caption.text})
        )
        print(f"  {images:,} pictures captioned by one process", flush=True)

        command = started(folder)
        wait_until(lambda: len(lines(folder)) >= images // 4, command)
        (victim, *others) = [pid for pid in descendants(command.pid) if name_of(pid).startswith(CAPTIONER)]
        os.kill(victim, signal.SIGKILL)
        print(f"  killed actor {victim} after {len(lines(folder)):,}; {len(others)} other(s)", flush=True)
        wait_until(lambda: len(lines(folder)) >= images // 2, command)
        processes = descendants(command.pid)
        command.kill()
        command.wait()
        print(f"  killed the command after {len(lines(folder)):,}", flush=True)
        time.sleep(60)
        left = [pid for pid in processes if name_of(pid)]

        command = started(folder)
        wait_until(lambda: False, command)
        captions = lines(folder)
        times = Counter(line["item_id"] for line in captions)
        texts = {line["item_id"].removesuffix(".jpg"): line["reply"]["text"] for line in captions}
        return {
            "images": images,
            "every_image_once": set(times.values()) == {1} and len(times) == images,
            "captions_equal": texts == expected,
            "processes_left": len(left),
        }


def started(folder: Path) -> subprocess.Popen[bytes]:
    """The command, in a process of its own."""
    options = [f"model={MODEL}", "data=folder", f"data.images={folder / 'pictures'}", "scorer=[]"]
    options += ["runner=ray", "runner.actors=2", f"runs={folder / 'runs'}", "name=killed"]
    return subprocess.Popen([sys.executable, "-m", "evaluator", "run", *options], stdout=subprocess.DEVNULL)


def lines(folder: Path) -> list[dict[str, Any]]:
    """The whole lines of captions.jsonl."""
    path = folder / "runs" / "killed" / "captions.jsonl"
    written = path.read_bytes() if path.exists() else b""
    return [json.loads(line) for line in written.splitlines(keepends=True) if line.endswith(b"\n")]


def wait_until(is_so: Callable[[], bool], command: subprocess.Popen[bytes]) -> None:
    """Until then, or until the command has ended by itself. Raises TimeoutError."""
    start = time.monotonic()
    while not is_so() and command.poll() is None:
        if time.monotonic() - start > PATIENCE_SECONDS:
            command.kill()
            raise TimeoutError("the command takes too long")
        time.sleep(0.5)


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, and those that these have started."""
    children = [
        int(child)
        for task in Path(f"/proc/{pid}/task").glob("*/children")
        for child in task.read_text().split()
    ]
    return [each for child in children for each in (child, *descendants(child))]


def name_of(pid: int) -> str:
    """What the system calls the process; nothing where it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").strip("\0")
    except OSError:
        return ""


def main(images: int, rounds: int, images_killed: int) -> None:
    print(f"{MODEL}, {images:,} pictures, {rounds} rounds", flush=True)
    share = ray_share(images, rounds)
    figures: dict[str, Any] = {"ray_share": round(share, 4)}
    if images_killed:
        print(f"{images_killed:,} pictures, two actors", flush=True)
        figures |= killed(images_killed)
    print(json.dumps(figures))


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(*(arguments + [IMAGES, ROUNDS, KILLED][len(arguments) :]))
