"""A server that speaks the wire formats of the providers, counts what it answers, and misbehaves on command.

    with ProviderServer() as server:
        server.script(error("openai", 429, headers={"retry-after": "1"}), CUT)
        ...                     # the next two requests meet these, all later ones are answered
        server.answered         # how often each picture or item was answered

In a process of its own its counts outlive a client that is killed, and none of its time is the client's:

    python -m tests.provider_server         prints its port, then serves until it is killed

There POST /behave sets the arguments of `ProviderServer.behave`, and GET /counts says what happened since.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Self

from tests.batch_server import BatchServer, provider_of_batch
from tests.wire_formats import (
    KEY,
    Answer,
    answer_named,
    caption_of,
    colored,
    complaint_of,
    document,
    drawn,
    error,
    judged_caption,
    keys_of,
    picture_in,
    provider_of,
    verdict_on,
    wrong_key,
)

WINDOW_SECONDS = 60.0
# What a request may meet by chance: each passes, and none is an answer.
FAULTS = ("429 0.05", "503", "529", "drop", "torn", "malformed")


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    document: Any


class ProviderServer:
    """All wire formats at one address, in a thread of its own."""

    def __init__(self) -> None:
        self.key: str | None = KEY
        self.port = 0
        self.requests: list[Request] = []
        self.files: dict[str, tuple[str, bytes]] = {}
        self.uploads: dict[str, str] = {}
        self.batches = BatchServer(self.files)
        self.open: set[asyncio.Task[None]] = set()
        self.epoch = 0
        self.behave()

    def behave(
        self,
        seconds: float = 0.0,
        fault_share: float = 0.0,
        admitted_per_minute: int | None = None,
        at_once: int | None = None,
        together: int = 0,
        script: Iterable[Answer | str] = (),
        by_item: Mapping[str, str] | None = None,
        slow_items: Mapping[str, float] | None = None,
        examine: bool = True,
        seed: int = 0,
    ) -> None:
        """Answer like this from now on, and begin to count anew.

        An answer takes `seconds`, that to an item of the plain format what `slow_items` says; `fault_share`
        of the requests meet one of FAULTS. Beyond `admitted_per_minute`, or `at_once`, a request gets 429.
        Nobody is answered before `together` requests were in flight at once. The next requests get what
        `script` says, all of an item what `by_item` says. With `examine=False` nothing in a request is read
        and every caption is the same, which costs the least.
        """
        self.seconds, self.fault_share, self.together = seconds, fault_share, together
        self.admitted_per_minute, self.at_once, self.examine = admitted_per_minute, at_once, examine
        self.scripted = deque(script)
        self.by_item, self.slow_items = by_item or {}, slow_items or {}
        self.judge: Callable[[str], str | Answer] = verdict_on  # an answer, or its text, for each caption
        self.painter: Callable[[str], bytes | Answer] = colored  # an answer, or the picture, for each prompt
        self.random = random.Random(seed)
        self.answered: Counter[str] = Counter()  # by caption or item: the answers that were sent whole
        self.statuses: Counter[str] = Counter()
        self.log: list[tuple[float, str]] = []
        self.admitted: deque[float] = deque()
        self.in_flight = self.most_in_flight = 0
        self.epoch += 1  # a request that is still open belongs to the counts before

    def script(self, *answers: Answer | str) -> None:
        """What the next requests meet, one after the other."""
        self.scripted.extend(answers)

    def base_url(self, provider: str) -> str:
        return f"http://127.0.0.1:{self.port}" + ("/v1" if provider == "openai" else "")

    def __enter__(self) -> Self:
        started = threading.Event()
        self.thread = threading.Thread(target=lambda: asyncio.run(self.serve(started.set)), daemon=True)
        self.thread.start()
        assert started.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.loop.call_soon_threadsafe(self.stopping.set)
        self.thread.join(30)

    async def serve(self, started: Callable[[], None]) -> None:
        self.loop, self.stopping = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(
            self.connection, "127.0.0.1", self.port, limit=2**27, backlog=1024
        )
        self.port = server.sockets[0].getsockname()[1]
        started()
        await self.stopping.wait()
        server.close()
        for task in self.open:
            task.cancel()
        await asyncio.gather(*self.open, return_exceptions=True)

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self.exchange(reader, writer):
                    pass
        except asyncio.CancelledError:
            pass
        finally:
            self.open.discard(task)
            writer.close()

    async def exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer; False where the connection is to end."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        method, path, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        data = await reader.readexactly(int(headers.get("content-length", 0)))
        path, _, query = path.partition("?")
        if path in ("/behave", "/counts"):
            if path == "/behave":
                self.behave(**json.loads(data))
            return await send(writer, Answer(body=self.counts()))
        if batched := provider_of_batch(path, headers):
            return await send(writer, self.batches.answer(batched, method, path, query, headers, data))
        provider = provider_of(path)
        if "/files" in path:
            return await send(writer, self.files_api(method, path, headers, data))
        if provider is None or method != "POST":
            return await send(writer, Answer(404, {"error": {"message": f"no such path {path}"}}))
        epoch, answered = self.epoch, self.answered
        answer, name = self.answer(provider, method, path, headers, data)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            while answer.status == 200 and self.most_in_flight < self.together:
                await asyncio.sleep(0.01)
            await asyncio.sleep(answer.seconds)
            if epoch != self.epoch:  # the client that asked has given up
                return False
            if name and answer.manner not in ("cut", "drop"):
                answered[name] += 1
            return await send(writer, answer)
        finally:
            if epoch == self.epoch:
                self.in_flight -= 1

    def answer(
        self, provider: str, method: str, path: str, headers: Mapping[str, str], data: bytes
    ) -> tuple[Answer, str]:
        """What a request is answered, and the caption or item that the answer counts for."""
        if not self.examine:
            chosen = self.counted(provider, self.verdict(""), self.seconds)
            body = document(provider, "a dog on a bench") if chosen.status == 200 else chosen.body
            return replace(chosen, body=body), ""
        asked = json.loads(data)
        if provider != "plain":
            self.requests.append(Request(method, path, headers, asked))
            if self.key and self.key not in keys_of(headers):
                return self.counted(provider, wrong_key(provider)), ""
            if complaint := complaint_of(provider, asked, headers):
                code = "INVALID_ARGUMENT" if provider == "gemini" else "invalid_request_error"
                return self.counted(provider, error(provider, 400, code, complaint)), ""
        item = str(asked.get("item", ""))
        verdict = self.verdict(item)
        chosen = self.counted(provider, verdict, self.slow_items.get(item, self.seconds))
        if chosen.body is not None or chosen.manner == "drop":
            return chosen, ""
        if provider == "images":
            painted = self.painter(asked["prompt"])
            if isinstance(painted, Answer):
                return painted, asked["prompt"]
            return replace(chosen, body=drawn(painted)), asked["prompt"]
        if (caption := judged_caption(asked)) is not None:
            said = self.judge(caption)
            return (
                said if isinstance(said, Answer) else replace(chosen, body=document(provider, said)),
                caption,
            )
        name = item if provider == "plain" else caption_of(picture_in(provider, asked, self.files))
        text = f"a picture of {item}" if provider == "plain" else name
        finish = "refused" if verdict == "refused" else None
        return replace(chosen, body=document(provider, text, finish)), name

    def verdict(self, item: str) -> Answer | str:
        """What becomes of a request: an answer, or a word that names one; "200" for a caption."""
        if item in self.by_item:
            return self.by_item[item]
        if self.scripted:
            return self.scripted.popleft()
        if self.fault_share and self.random.random() < self.fault_share:
            return self.random.choice(FAULTS)
        if self.at_once is not None and self.in_flight >= self.at_once:
            return "429"
        return "200" if self.admits(time.monotonic()) else "429 1"

    def admits(self, now: float) -> bool:
        """Whether the limit of a minute admits a request; six seconds admit a tenth of it."""
        if self.admitted_per_minute is None:
            return True
        while self.admitted and self.admitted[0] <= now - WINDOW_SECONDS:
            self.admitted.popleft()
        recent = sum(at > now - WINDOW_SECONDS / 10 for at in self.admitted)
        if len(self.admitted) >= self.admitted_per_minute or recent >= self.admitted_per_minute / 10:
            return False
        self.admitted.append(now)
        return True

    def counted(self, provider: str, verdict: Answer | str, seconds: float = 0.0) -> Answer:
        """The answer that a verdict is, after it was counted; a caption takes `seconds`, a refusal none."""
        if isinstance(verdict, Answer):
            word, chosen = str(verdict.status), verdict
        else:
            word = verdict.partition(" ")[0]
            chosen = Answer() if word == "refused" else answer_named(provider, verdict)
            chosen = replace(chosen, seconds=seconds if chosen.status == 200 else 0.0)
        self.statuses[word] += 1
        self.log.append((time.monotonic(), word))
        return chosen

    def counts(self) -> dict[str, Any]:
        return {
            "answered": self.answered,
            "statuses": self.statuses,
            "most_in_flight": self.most_in_flight,
            "log": self.log,
            "cpu_seconds": time.process_time(),
        }

    def files_api(self, method: str, path: str, headers: Mapping[str, str], data: bytes) -> Answer:
        """ai.google.dev/api/files: a resumable upload in two steps, then get and delete."""
        self.requests.append(Request(method, path, headers, None))
        name = path.rpartition("/")[2]
        if method == "POST" and headers.get("x-goog-upload-command") == "start":
            upload = f"u{len(self.uploads)}"
            self.uploads[upload] = headers["x-goog-upload-header-content-type"]
            self.batches.names[upload] = json.loads(data).get("file", {}).get("displayName", "")
            location = f"http://127.0.0.1:{self.port}/upload/v1beta/files/{upload}"
            return Answer(body={}, headers={"x-goog-upload-url": location, "x-goog-upload-status": "active"})
        if method == "POST":
            self.files[name] = (self.uploads[name], data)
            # The first look finds a file that is still being processed.
            return Answer(
                body={"file": self.file(name, "PROCESSING")}, headers={"x-goog-upload-status": "final"}
            )
        if name not in self.files:
            return error("gemini", 404, "NOT_FOUND")
        if method == "DELETE":
            del self.files[name]
            return Answer(body={})
        return Answer(body=self.file(name, "ACTIVE"))

    def file(self, name: str, state: str) -> dict[str, Any]:
        return {
            "name": f"files/{name}",
            "uri": f"http://127.0.0.1:{self.port}/v1beta/files/{name}",
            "mimeType": self.files[name][0],
            "sizeBytes": str(len(self.files[name][1])),
            "state": state,
        }


async def send(writer: asyncio.StreamWriter, answer: Answer) -> bool:
    """Write an answer in its manner; False where the connection is to end."""
    if answer.manner == "drop":
        writer.transport.abort()
        return False
    body = answer.body if isinstance(answer.body, bytes) else (
        answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
    ).encode()  # fmt: skip
    headers = {"content-type": answer.content_type, "content-length": str(len(body)), **answer.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {answer.status} Whatever\r\n{lines}\r\n".encode()
    if answer.manner == "cut":
        writer.write(head + body[: len(body) // 2])
    elif answer.manner == "drip":
        writer.write(head)
        for start in range(0, len(body), 64):
            writer.write(body[start : start + 64])
            await asyncio.sleep(0.002)
    else:
        writer.write((head + body) * (2 if answer.manner == "twice" else 1))
    await writer.drain()
    return answer.manner != "cut"


if __name__ == "__main__":
    server = ProviderServer()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(lambda: print(server.port, flush=True)))
