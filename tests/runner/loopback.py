"""A captioning service on this machine that counts what it answers and misbehaves on command.

    python tests/runner/loopback.py [PORT]      prints its port, then serves until it is killed

POST /behave sets the fields of `Behaviour`; POST /caption asks; GET /counts says what happened so far. It is
a process of its own, so that the counts outlive a client that is killed and none of its time is the client's.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from collections import Counter, deque
from dataclasses import dataclass, field, replace
from typing import Any

WINDOW_SECONDS = 60.0


@dataclass(frozen=True)
class Behaviour:
    """How requests are answered from now on."""

    seconds: float = 0.0  # a reply takes
    fault_share: float = 0.0  # of requests: refused, dropped before or within the answer, or not JSON
    admitted_per_minute: int | None = None  # in any minute; the others get 429
    script: tuple[
        str, ...
    ] = ()  # what the next requests get: "429", "503 0.1", "drop", "malformed", "refused"
    by_item: dict[str, str] = field(default_factory=dict)  # the same, for every request about that item
    slow_items: dict[str, float] = field(default_factory=dict)
    together: int = 0  # nobody is answered before so many were in flight at once
    at_once: int | None = None  # requests that are admitted; the others get 429
    seed: int = 0


class Service:
    def __init__(self) -> None:
        self.behave({})

    def behave(self, fields: dict[str, Any]) -> None:
        self.behaviour = replace(Behaviour(), **fields)
        self.script = deque(self.behaviour.script)
        self.random = random.Random(self.behaviour.seed)
        self.answered: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.admitted: deque[float] = deque()
        self.log: list[tuple[float, str]] = []
        self.in_flight = self.most_in_flight = 0

    def verdict(self, item: str) -> str:
        """What becomes of a request: "200", or one of the words of `Behaviour.script`."""
        if item in self.behaviour.by_item:
            return self.behaviour.by_item[item]
        if self.script:
            return self.script.popleft()
        if self.random.random() < self.behaviour.fault_share:
            return self.random.choice(("429 0.05", "503", "529", "drop", "torn", "malformed"))
        if self.behaviour.at_once is not None and self.in_flight >= self.behaviour.at_once:
            return "429"
        if (most := self.behaviour.admitted_per_minute) is not None:
            now = time.monotonic()
            while self.admitted and self.admitted[0] <= now - WINDOW_SECONDS:
                self.admitted.popleft()
            # A minute's requests may not come at once either: a tenth of them a tenth of a minute.
            recent = sum(1 for at in self.admitted if at > now - WINDOW_SECONDS / 10)
            if len(self.admitted) >= most or recent >= most / 10:
                return "429 1"
            self.admitted.append(now)
        return "200"

    async def caption(self, body: bytes, writer: asyncio.StreamWriter) -> bool:
        """Answer one request; whether the connection stays open."""
        document = json.loads(body)
        item, behaviour = document["item"], self.behaviour
        verdict = self.verdict(item)
        answered = self.answered  # a late answer counts where it was asked for, not after another /behave
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            word, _, wait = verdict.partition(" ")
            self.statuses[word] += 1
            self.log.append((time.monotonic(), word))
            if word.isdigit() and word != "200":
                send(writer, int(word), b"{}", {"retry-after": wait} if wait else {})
                await writer.drain()
                return True
            while self.most_in_flight < behaviour.together:
                await asyncio.sleep(0.01)
            await asyncio.sleep(behaviour.slow_items.get(item, behaviour.seconds))
            if behaviour is not self.behaviour:  # given up by a test that is over: not this one's answer
                return False
            if word == "drop":
                return False
            if word == "malformed":
                send(writer, 200, b"<html>Bad gateway</html>", {})
                await writer.drain()
                return True
            answer = {
                "text": f"a picture of {item}",
                "input_tokens": 90,
                "output_tokens": 10,
                "finish_reason": "refused" if word == "refused" else "stop",
            }
            content = json.dumps(answer).encode()
            if word == "torn":
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 500\r\n\r\n" + content[:20])
                await writer.drain()
                return False
            answered[item] += 1
            send(writer, 200, content, {})
            await writer.drain()
            return True
        finally:
            if answered is self.answered:
                self.in_flight -= 1

    def counts(self) -> dict[str, Any]:
        return {
            "answered": self.answered,
            "statuses": self.statuses,
            "most_in_flight": self.most_in_flight,
            "log": self.log,
        }

    async def connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                request, *lines = head.decode("latin-1").split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
                }
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                path = request.split()[1]
                if path == "/caption":
                    if not await self.caption(body, writer):
                        break
                    continue
                if path == "/behave":
                    self.behave(json.loads(body))
                send(writer, 200, json.dumps(self.counts() if path == "/counts" else {}).encode(), {})
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


def send(writer: asyncio.StreamWriter, status: int, content: bytes, headers: dict[str, str]) -> None:
    lines = [f"HTTP/1.1 {status} -", f"content-length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode() + content)


async def serve(port: int) -> None:
    server = await asyncio.start_server(Service().connection, "127.0.0.1", port, limit=2**24, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
