"""What a cloud backend and the runner cost beside a bare loop over the same SDK, and how they keep a limit.

    python benchmarks/cloud.py [IMAGES]

The OpenAI-compatible backend under the runner, with its pictures, cache and ledger, sends requests to a
server on this machine; so does a bare asyncio loop over the openai SDK, which reads the same files and sends
the same requests. The server is a process of its own, so the CPU time of this process is the client's alone.
Then follow the whole command on a run that is complete, and a server that admits 600 requests per minute. The
last line is one JSON object.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from evaluator.core import Caption, Item, Prompt
from evaluator.models.cloud import MAX_CONNECTIONS
from evaluator.models.openai_compatible import OpenAICompatible
from evaluator.runner.default import DefaultRunner
from evaluator.runner.request_options import Requests
from evaluator.store.run_folder import RunFolder

ROOT = Path(__file__).parents[1]
IMAGES = 5_000
ROUNDS = 3
IMAGE_BYTES = 100_000
IN_FLIGHT = 200
REPLY_SECONDS = 0.5
ADMITTED_PER_MINUTE = 600
LIMITED_IMAGES = 600
SETTLING_SECONDS = 10.0
MAX_TOKENS = 512
PROMPT = Prompt("one-sentence", "Describe the image in one sentence.")


class Cost(NamedTuple):
    """Of some requests, in seconds."""

    wall: float
    cpu: float


# --- pictures and the server -------------------------------------------------------------------------------


def write_pictures(folder: Path, count: int) -> list[Item]:
    """JPEG files of about IMAGE_BYTES, which differ in their comment alone."""
    folder.mkdir()
    rows, columns = np.mgrid[0:480, 0:640]
    waves = 127 + 60 * np.sin(rows / 37) + 60 * np.cos(columns / 53)
    noise = np.random.default_rng(0).normal(0, 14, (480, 640, 3))
    buffer = io.BytesIO()
    pixels = (waves[..., None] + noise).clip(0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(buffer, "JPEG", quality=83)
    jpeg = buffer.getvalue()
    assert 0.7 * IMAGE_BYTES < len(jpeg) < 1.3 * IMAGE_BYTES, len(jpeg)
    items = [Item(str(number), folder / f"{number}.jpg") for number in range(count)]
    for number, item in enumerate(items):
        assert item.image is not None
        comment = b"%06d" % number
        segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
        item.image.write_bytes(jpeg[:2] + segment + jpeg[2:])
    return items


@contextmanager
def running_server() -> Iterator[str]:
    line = [sys.executable, "-m", "tests.provider_server"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def behave(url: str, **fields: Any) -> None:
    """Set the arguments of ProviderServer.behave, and begin to count anew."""
    fetch(url, "/behave", json.dumps(fields | {"examine": False}).encode())


def log(url: str) -> list[tuple[float, str]]:
    """When each request came, and the status that it got."""
    entries: list[tuple[float, str]] = fetch(url, "/counts")["log"]
    return entries


def fetch(url: str, path: str, data: bytes | None = None) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(urllib.request.Request(url + path, data)) as response:
        return json.loads(response.read())


# --- the measurements --------------------------------------------------------------------------------------


def bare(url: str, items: Sequence[Item]) -> Cost:
    """The SDK in a bare asyncio loop: no outcomes, no ledger, no cache, no limits."""
    import httpx2
    import openai

    limits = httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS)

    async def main() -> None:
        client = openai.AsyncOpenAI(
            api_key="none",
            base_url=f"{url}/v1",
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(limits=limits),
        )
        waiting = iter(items)

        async def worker() -> None:
            for item in waiting:
                assert item.image is not None
                picture = base64.b64encode(item.image.read_bytes()).decode()
                answer = await client.chat.completions.create(
                    model="benchmark",
                    max_tokens=MAX_TOKENS,
                    temperature=0.0,
                    messages=[
                        {
                            "role": "user",
                            "content": [
                                {
                                    "type": "image_url",
                                    "image_url": {"url": f"data:image/jpeg;base64,{picture}"},
                                },
                                {"type": "text", "text": PROMPT.text},
                            ],
                        }
                    ],
                )
                assert answer.choices[0].message.content

        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        await client.close()

    return cost(lambda: asyncio.run(main()))


def under_the_runner(url: str, items: Sequence[Item], folder: Path, **limits: Any) -> Cost:
    """The same requests with everything that makes them safe."""
    captioner = OpenAICompatible(
        model="benchmark",
        base_url=f"{url}/v1",
        max_output_tokens=MAX_TOKENS,
        temperature=0.0,
        longest_side=2048,
    )
    runner = DefaultRunner(requests=Requests(in_flight=IN_FLIGHT, **limits))
    captions: list[Caption] = []

    def run() -> None:
        with RunFolder(folder).ledger() as ledger:

            def keep(caption: Caption) -> None:
                ledger.record(caption)
                captions.append(caption)

            runner.run(captioner, PROMPT, items, keep)

    spent = cost(run)
    assert len(captions) == len(items)
    assert all(caption.text for caption in captions), next(c.error for c in captions if not c.text)
    return spent


def cost(work: Callable[[], None]) -> Cost:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Cost(time.perf_counter() - wall, time.process_time() - cpu)


def rerun(url: str, items: Sequence[Item], folder: Path) -> tuple[float, int]:
    """Seconds of the whole command on a complete run, start-up included, and the requests it made."""
    annotations = {
        "images": [{"id": int(item.id), "file_name": item.image and item.image.name} for item in items],
        "annotations": [{"image_id": int(item.id), "caption": "a dog"} for item in items],
    }
    (folder / "captions.json").write_text(json.dumps(annotations))
    line = [sys.executable, "-m", "evaluator", "run", "model=vllm", "model.model=benchmark", "scorer=[bleu]"]
    line += [f"model.base_url={url}/v1", "data=coco", "data.annotations=captions.json"]
    line += ["data.images=pictures", "prompt=one-sentence", f"runner.requests.in_flight={IN_FLIGHT}"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    def command() -> float:
        start = time.monotonic()
        subprocess.run(line, cwd=folder, env=environment, check=True, capture_output=True)
        return time.monotonic() - start

    command()
    before = len(log(url))
    return command(), len(log(url)) - before


def compared(url: str, items: Sequence[Item], folder: Path) -> dict[str, float]:
    """Both ways in turn, each round with other images: machines are busy with other things."""
    behave(url, seconds=REPLY_SECONDS)
    warm = items[:IN_FLIGHT]  # imports are not counted
    bare(url, warm)
    under_the_runner(url, warm, folder / "runs" / "warm")
    os.environ["EVALUATOR_CACHE"] = str(folder / "cold cache")
    theirs, ours = [], []
    for number in range(ROUNDS):
        part = items[number::ROUNDS]
        theirs.append(Cost(*(seconds / len(part) for seconds in bare(url, part))))
        name = folder / "runs" / str(number)
        ours.append(Cost(*(seconds / len(part) for seconds in under_the_runner(url, part, name))))
    print(f"{len(items):,} images of 100 KB, {IN_FLIGHT} in flight, {REPLY_SECONDS} s a reply")
    for name, costs in (("bare asyncio loop", theirs), ("under the runner", ours)):
        milliseconds = " ".join(f"{1000 * each.cpu:.2f}" for each in costs)
        rate = 1 / median(each.wall for each in costs)
        print(f"  {name:17}  {milliseconds} ms of CPU a request, {rate:6.1f} images/s")
    return {
        "cpu_share": round(median(a.cpu / b.cpu for a, b in zip(theirs, ours, strict=True)), 4),
        "concurrency_share": round(median(a.wall / b.wall for a, b in zip(theirs, ours, strict=True)), 4),
        "bare_cpu_ms": round(1000 * median(each.cpu for each in theirs), 3),
        "runner_cpu_ms": round(1000 * median(each.cpu for each in ours), 3),
    }


def limited(url: str, items: Sequence[Item], folder: Path) -> dict[str, float]:
    """How much of a limit is used, and how many requests it refuses once the runner has settled."""
    behave(url, seconds=REPLY_SECONDS, admitted_per_minute=ADMITTED_PER_MINUTE)
    under_the_runner(url, items, folder / "runs" / "limited", per_minute=ADMITTED_PER_MINUTE)
    entries = log(url)
    start, end = entries[0][0], entries[-1][0]
    admitted = sum(word == "200" for _, word in entries)
    admitted_share = (admitted - 1) / (end - start) * 60 / ADMITTED_PER_MINUTE
    later = [word for at, word in entries if at > start + SETTLING_SECONDS]
    refused_share = later.count("429") / len(later)
    print(f"a limit of {ADMITTED_PER_MINUTE} a minute: {admitted} in {end - start:.1f} s")
    print(f"  {100 * admitted_share:.1f} % of it used, {100 * refused_share:.2f} % refused after the start")
    return {"admitted_share": round(admitted_share, 4), "refused_share": round(refused_share, 4)}


def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as name, running_server() as url:
        folder = Path(name)
        os.environ["EVALUATOR_CACHE"] = str(folder / "cache")
        items = write_pictures(folder / "pictures", images)
        figures = compared(url, items, folder)

        behave(url)
        rerun_seconds, requests = rerun(url, items, folder)
        print(f"a complete run again: {rerun_seconds:.2f} s, {requests} requests")

        os.environ["EVALUATOR_CACHE"] = str(folder / "another cache")
        figures |= limited(url, items[:LIMITED_IMAGES], folder)
        figures |= {"rerun_seconds": round(rerun_seconds, 3), "rerun_requests": requests}
        print(json.dumps(figures))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
