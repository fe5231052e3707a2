"""What the runner takes from an SDK's speed, how it keeps a limit, and how long a finished run takes again.

    python benchmarks/cloud.py [IMAGES]

The openai SDK against a server on this machine, in a process of its own: first in a bare asyncio loop, then
under the runner with its ledger and cache; then a server that admits 600 requests a minute; then the whole
command on a run that is complete. Readable lines first, one JSON object last.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.core import NOT_IDENTITY, Caption, Item, Prompt, Reply, Usage
from evaluator.core.errors import RetryableError

if TYPE_CHECKING:
    from openai import AsyncOpenAI

IMAGES = 5_000
IMAGE_BYTES = 100_000
IN_FLIGHT = 200
REPLY_SECONDS = 0.5
ADMITTED_PER_MINUTE = 600
LIMITED_IMAGES = 600
SETTLING_SECONDS = 10.0
PROMPT = Prompt("one-sentence", "Describe the image in one sentence.")


@dataclass(frozen=True)
class Chat:
    """Any server that speaks OpenAI's chat completions, with the SDK's own retries switched off."""

    url: str = field(default="", metadata=NOT_IDENTITY)

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return ()

    def usage(self, prompt: Prompt) -> Usage:
        return Usage("benchmark", (900, 1100), (5, 50))

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[ChatSession]:
        yield ChatSession(prompt, client_of(self.url))


@dataclass(frozen=True)
class ChatSession:
    prompt: Prompt
    client: AsyncOpenAI

    def prepare(self, item: Item) -> bytes:
        assert item.image is not None
        return item.image.read_bytes()

    def cache_key(self, prepared: bytes) -> Mapping[str, Any]:
        return {
            "image": hashlib.sha256(prepared).hexdigest(),
            "model": "benchmark",
            "prompt": self.prompt.text,
        }

    async def ask(self, prepared: bytes) -> Reply:
        from openai import APIStatusError

        try:
            return await asked(self.client, self.prompt, prepared)
        except APIStatusError as error:
            wait = float(error.response.headers.get("retry-after", 1))
            raise RetryableError(
                str(error), f"HTTP {error.status_code}", wait, affects_all_requests=True
            ) from error

    async def close(self) -> None:
        await self.client.close()


def client_of(url: str) -> AsyncOpenAI:
    from openai import AsyncOpenAI

    return AsyncOpenAI(api_key="none", base_url=url, max_retries=0)


async def asked(client: AsyncOpenAI, prompt: Prompt, content: bytes) -> Reply:
    """One chat completion."""
    picture = "data:image/jpeg;base64," + base64.b64encode(content).decode()
    completion = await client.chat.completions.create(
        model="benchmark",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": prompt.text},
                    {"type": "image_url", "image_url": {"url": picture}},
                ],
            }
        ],
    )
    assert completion.usage is not None
    return Reply(
        completion.choices[0].message.content or "",
        input_tokens=completion.usage.prompt_tokens,
        output_tokens=completion.usage.completion_tokens,
    )


# --- the server --------------------------------------------------------------------------------------------


class Service:
    """Answers after `seconds`, admits `per_minute` in any minute and a tenth of them in any tenth of one."""

    def __init__(self) -> None:
        self.seconds, self.per_minute = 0.0, 0
        self.admitted: deque[float] = deque()
        self.log: list[tuple[float, bool]] = []

    def admits(self, now: float) -> bool:
        if not self.per_minute:
            return True
        while self.admitted and self.admitted[0] <= now - 60:
            self.admitted.popleft()
        recent = sum(at > now - 6 for at in self.admitted)
        if len(self.admitted) >= self.per_minute or recent >= self.per_minute / 10:
            return False
        self.admitted.append(now)
        return True

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                pairs = (line.partition(":") for line in head.split("\r\n")[1:])
                length = next((int(value) for name, _, value in pairs if name.lower() == "content-length"), 0)
                body = await reader.readexactly(length)
                status, document = await self.answer(head.split()[1], body)
                content = json.dumps(document).encode()
                writer.write(
                    f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\nretry-after: 1\r\n"
                    f"content-length: {len(content)}\r\n\r\n".encode()
                    + content
                )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def answer(self, path: str, body: bytes) -> tuple[int, Any]:
        if path == "/begin":
            options = json.loads(body)
            self.seconds, self.per_minute = options["seconds"], options["per_minute"]
            self.admitted.clear()
            self.log = []
            return 200, {}
        if path == "/log":
            return 200, self.log
        now = time.monotonic()
        admitted = self.admits(now)
        self.log.append((now, admitted))
        if not admitted:
            return 429, {"error": {"message": "too many requests"}}
        await asyncio.sleep(self.seconds)
        message = {"role": "assistant", "content": "a dog on a bench"}
        return 200, {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": "benchmark",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 6, "total_tokens": 1006},
        }


async def serve() -> None:
    server = await asyncio.start_server(Service().connection, "127.0.0.1", 0, limit=2**20, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def running_server() -> Iterator[str]:
    line = [sys.executable, __file__, "serve"]
    with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


def told(url: str, path: str, document: Any = None) -> Any:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    data = None if document is None else json.dumps(document).encode()
    with opener.open(urllib.request.Request(url + path, data)) as response:
        return json.loads(response.read())


# --- the measurements --------------------------------------------------------------------------------------


def bare(url: str, items: Sequence[Item]) -> float:
    """Seconds of the SDK in a bare asyncio loop: no outcomes, no ledger, no cache, no limits."""

    async def main() -> None:
        client, waiting = client_of(url), iter(items)

        async def worker() -> None:
            for item in waiting:
                assert item.image is not None
                await asked(client, PROMPT, item.image.read_bytes())

        await asyncio.gather(*(worker() for _ in range(IN_FLIGHT)))
        await client.close()

    start = time.monotonic()
    asyncio.run(main())
    return time.monotonic() - start


def under_the_runner(url: str, items: Sequence[Item], folder: Path, **limits: Any) -> float:
    """Seconds of the same requests with everything that makes them safe."""
    from evaluator.runner.default import DefaultRunner
    from evaluator.runner.remote import Requests
    from evaluator.store.run_folder import RunFolder

    captions: list[Caption] = []
    runner = DefaultRunner(requests=Requests(in_flight=IN_FLIGHT, **limits))
    start = time.monotonic()
    with RunFolder(folder).ledger() as record:

        def keep(caption: Caption) -> None:
            record(caption)
            captions.append(caption)

        runner.run(Chat(url), PROMPT, items, keep)
    seconds = time.monotonic() - start
    assert len(captions) == len(items)
    assert all(caption.text for caption in captions), next(c.error for c in captions if not c.text)
    return seconds


def rerun(url: str, items: Sequence[Item], folder: Path) -> tuple[float, int]:
    """Seconds of the whole command on a complete run, start-up included, and the requests it made."""
    annotations = {
        "images": [{"id": int(item.id), "file_name": item.image and item.image.name} for item in items],
        "annotations": [{"image_id": int(item.id), "caption": "a dog"} for item in items],
    }
    (folder / "captions.json").write_text(json.dumps(annotations))
    (folder / "conf" / "model").mkdir(parents=True)
    (folder / "conf" / "model" / "chat.yaml").write_text(f"_target_: cloud.Chat\nurl: {url}\n")
    line = [sys.executable, "-m", "evaluator", "run", "--config-dir", "conf", "model=chat", "scorer=[bleu]"]
    line += ["data=coco", "data.annotations=captions.json", "data.images=pictures", "prompt=one-sentence"]
    places = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places)}

    def command() -> float:
        start = time.monotonic()
        subprocess.run(line, cwd=folder, env=environment, check=True, capture_output=True)
        return time.monotonic() - start

    command()
    before = len(told(url, "/log"))
    return command(), len(told(url, "/log")) - before


def main(images: int) -> None:
    with tempfile.TemporaryDirectory() as name, running_server() as url:
        folder = Path(name)
        os.environ["EVALUATOR_CACHE"] = str(folder / "cache")
        (folder / "pictures").mkdir()
        items = [Item(str(i), folder / "pictures" / f"{i}.jpg") for i in range(images)]
        for item in items:
            assert item.image is not None
            item.image.write_bytes(os.urandom(IMAGE_BYTES))

        told(url, "/begin", {"seconds": REPLY_SECONDS, "per_minute": 0})
        bare(url, items[:IN_FLIGHT])  # imports and connections of neither are counted
        bare_seconds = bare(url, items)
        runner_seconds = under_the_runner(url, items, folder / "runs" / "fast")
        print(
            f"{images:,} images of {IMAGE_BYTES // 1000} KB, {IN_FLIGHT} in flight, {REPLY_SECONDS} s a reply"
        )
        print(f"  bare asyncio loop {bare_seconds:6.1f} s  {images / bare_seconds:6.1f} images/s")
        print(f"  under the runner  {runner_seconds:6.1f} s  {images / runner_seconds:6.1f} images/s")

        told(url, "/begin", {"seconds": 0.0, "per_minute": 0})
        rerun_seconds, requests = rerun(url, items, folder)
        print(f"a complete run again: {rerun_seconds:.2f} s, {requests} requests")

        os.environ["EVALUATOR_CACHE"] = str(folder / "another cache")
        told(url, "/begin", {"seconds": REPLY_SECONDS, "per_minute": ADMITTED_PER_MINUTE})
        few = items[:LIMITED_IMAGES]
        under_the_runner(url, few, folder / "runs" / "limited", per_minute=ADMITTED_PER_MINUTE)
        log = told(url, "/log")
        start, end = log[0][0], log[-1][0]
        admitted = sum(was_admitted for _, was_admitted in log)
        admitted_share = (admitted - 1) / (end - start) * 60 / ADMITTED_PER_MINUTE
        later = [was_admitted for at, was_admitted in log if at > start + SETTLING_SECONDS]
        refused_share = later.count(False) / len(later)
        print(f"a limit of {ADMITTED_PER_MINUTE} a minute: {admitted} in {end - start:.1f} s")
        print(
            f"  {100 * admitted_share:.1f} % of it used, {100 * refused_share:.2f} % refused after the start"
        )
        figures = {
            "concurrency_share": round(bare_seconds / runner_seconds, 4),
            "admitted_share": round(admitted_share, 4),
            "refused_share": round(refused_share, 4),
            "rerun_seconds": round(rerun_seconds, 3),
            "rerun_requests": requests,
        }
        print(json.dumps(figures))


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        asyncio.run(serve())
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else IMAGES)
