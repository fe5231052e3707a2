"""A server that speaks the wire formats of OpenAI, Anthropic and Gemini, and misbehaves on command.

    with ProviderServer() as server:
        server.script(error("openai", 429, headers={"retry-after": "1"}), CUT)
        ...                     # the next two requests meet these, all later ones are answered
        server.answered         # how often a picture was answered, by the caption that it was given

In a process of its own, for benchmarks and soaks, its counts are at GET /counts:

    python tests/models/provider_server.py --port-file port --seconds 0.5 --fault-share 0.05

A picture's caption is made of its bytes, so that a caption which reaches the wrong image shows. The formats
follow developers.openai.com/api/reference, platform.claude.com/docs/en/api/messages and
ai.google.dev/api/generate-content; a request that these would refuse is refused here too.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import random
import re
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

KEY = "test-key-3141592653589793"
PROVIDERS = ("openai", "anthropic", "gemini")
MEDIA_TYPES = {
    "openai": ("image/jpeg", "image/png", "image/webp", "image/gif"),
    "anthropic": ("image/jpeg", "image/png", "image/webp", "image/gif"),
    "gemini": ("image/jpeg", "image/png", "image/webp", "image/heic", "image/heif"),
}


@dataclass(frozen=True)
class Answer:
    """What goes back. `manner` is how: whole, cut off, nothing at all, twice or bit by bit."""

    status: int = 200
    body: Any = None  # JSON, or text or bytes as they are; None: the answer that the request deserves
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    manner: Literal["whole", "cut", "drop", "twice", "drip"] = "whole"
    seconds: float = 0.0  # before it begins


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: Mapping[str, str]
    document: Any


NUMBERS = itertools.count()  # each answer has a number of its own, as the providers' have
CUT, DROP = Answer(manner="cut"), Answer(manner="drop")
TWICE, DRIP = Answer(manner="twice"), Answer(manner="drip")
HTML = Answer(body="<!doctype html><title>Sign in</title>", content_type="text/html")
MALFORMED = Answer(body='{"choices": [{"mess')
WRONG_TYPE = Answer(content_type="text/plain")


def said(provider: str, text: str | None, finish: str | None = None, **more: Any) -> Answer:
    """An answer with this text; `more` goes into the choice, message or candidate."""
    return Answer(body=document(provider, text, finish, **more))


def document(provider: str, text: str | None, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """What the provider answers: 1,000 tokens in, 200 of them cached, 12 out, 5 of them thoughts."""
    match provider:
        case "openai":
            message = {"role": "assistant", "content": text, "refusal": more.pop("refusal", None)}
            return {
                "id": f"chatcmpl-{next(NUMBERS)}",
                "object": "chat.completion",
                "created": 1,
                "model": "gpt-test-2026-01-01",
                "choices": [{"index": 0, "message": message, "finish_reason": finish or "stop", **more}],
                "usage": {
                    "prompt_tokens": 1000,
                    "completion_tokens": 12,
                    "total_tokens": 1012,
                    "prompt_tokens_details": {"cached_tokens": 200},
                    "completion_tokens_details": {"reasoning_tokens": 5},
                },
            }
        case "anthropic":
            return {
                "id": f"msg_{next(NUMBERS)}",
                "type": "message",
                "role": "assistant",
                "model": "claude-test-20260101",
                "content": [] if text is None else [{"type": "text", "text": text}],
                "stop_reason": finish or "end_turn",
                "stop_sequence": None,
                "usage": {
                    "input_tokens": 800,
                    "cache_read_input_tokens": 200,
                    "cache_creation_input_tokens": 0,
                    "output_tokens": 12,
                    "output_tokens_details": {"thinking_tokens": 5},
                },
                **more,
            }
        case _:
            content = {"role": "model"} | ({} if text is None else {"parts": [{"text": text}]})
            return {
                "candidates": [{"content": content, "finishReason": finish or "STOP", "index": 0, **more}],
                "modelVersion": "gemini-test-001",
                "responseId": f"response-{next(NUMBERS)}",
                "usageMetadata": {
                    "promptTokenCount": 1000,
                    "cachedContentTokenCount": 200,
                    "candidatesTokenCount": 7,
                    "thoughtsTokenCount": 5,
                    "totalTokenCount": 1012,
                },
            }


def error(
    provider: str,
    status: int,
    code: str = "",
    message: str = "it did not work",
    details: Any = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Answer:
    """An error as the provider writes it; `code` is its type, status or code."""
    if provider == "openai":
        body: Any = {
            "error": {"message": message, "type": code or "server_error", "param": None, "code": code or None}
        }
    elif provider == "anthropic":
        body = {
            "type": "error",
            "error": {"type": code or "api_error", "message": message},
            "request_id": "req_1",
        }
    else:
        body = {"error": {"code": status, "message": message, "status": code or "UNKNOWN"}}
    body["error"] |= more | ({} if details is None else {"details": details})
    return Answer(status, body, headers or {})


def retry_info(seconds: float) -> dict[str, Any]:
    return {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{seconds}s"}


def quota_failure(*quota_ids: str) -> dict[str, Any]:
    violations = [{"quotaMetric": "requests", "quotaId": quota_id} for quota_id in quota_ids]
    return {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": violations}


def rate_limited(provider: str, seconds: float | None = None) -> Answer:
    """429, with the wait in the provider's own way."""
    code = {"openai": "rate_limit_exceeded", "anthropic": "rate_limit_error", "gemini": "RESOURCE_EXHAUSTED"}[
        provider
    ]
    if seconds is None:
        return error(provider, 429, code)
    if provider == "gemini":
        details = [quota_failure("GenerateRequestsPerMinutePerProjectPerModel"), retry_info(seconds)]
        return error(provider, 429, code, details=details)
    return error(provider, 429, code, headers={"retry-after": f"{seconds:g}"})


# What a request may meet by chance in a soak: each passes, and none is an answer.
PASSING: tuple[Callable[[str], Answer], ...] = (
    lambda provider: rate_limited(provider),
    lambda provider: rate_limited(provider, 0.05),
    lambda provider: error(provider, 500),
    lambda provider: error(provider, 503),
    lambda provider: error(provider, 529, "overloaded_error"),
    lambda provider: HTML,
    lambda provider: MALFORMED,
    lambda provider: DROP,
)


class ProviderServer:
    """All providers at one address, in a thread of its own."""

    def __init__(
        self,
        seconds: float = 0.0,
        fault_share: float = 0.0,
        per_minute: float | None = None,
        burst: float = 10.0,
        key: str | None = KEY,
        seed: int = 0,
        port: int = 0,
        keep_requests: bool = True,
    ) -> None:
        self.seconds, self.fault_share, self.key, self.port = seconds, fault_share, key, port
        self.per_minute, self.burst, self.admitted_at = per_minute, burst, 0.0
        self.random = random.Random(seed)
        self.scripted: deque[Answer] = deque()
        self.keep_requests = keep_requests
        self.requests: list[Request] = []
        self.answered: Counter[str] = Counter()  # by caption: answers that were sent whole
        self.statuses: Counter[int] = Counter()
        self.in_flight = self.most_in_flight = 0
        self.together = 0  # answers wait until so many requests were in flight at once
        self.files: dict[str, tuple[str, bytes]] = {}
        self.uploads: dict[str, str] = {}
        self.open: set[asyncio.Task[None]] = set()

    def script(self, *answers: Answer) -> None:
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
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            answer, caption = self.answer(method, path, headers, data)
            await asyncio.sleep(answer.seconds)
            while self.most_in_flight < self.together:
                await asyncio.sleep(0.01)
            return await self.send(writer, answer, caption)
        finally:
            self.in_flight -= 1

    async def send(self, writer: asyncio.StreamWriter, answer: Answer, caption: str | None) -> bool:
        self.statuses[answer.status] += 1
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
            await writer.drain()
            return False
        if answer.manner == "drip":
            writer.write(head)
            for start in range(0, len(body), 64):
                writer.write(body[start : start + 64])
                await asyncio.sleep(0.002)
        else:
            writer.write((head + body) * (2 if answer.manner == "twice" else 1))
        await writer.drain()
        if caption is not None:
            self.answered[caption] += 1
        return True

    def answer(
        self, method: str, path: str, headers: Mapping[str, str], data: bytes
    ) -> tuple[Answer, str | None]:
        """What a request is answered, and the caption that this gives away."""
        path = path.partition("?")[0]
        if path == "/counts":
            return Answer(body=self.counts()), None
        if "/files" in path:
            return self.files_api(method, path, headers, data), None
        provider = provider_of(path)
        if provider is None or method != "POST":
            return Answer(404, {"error": {"message": f"no such path {path}"}}), None
        asked = json.loads(data)
        if self.keep_requests:
            self.requests.append(Request(method, path, headers, asked))
        if self.key and self.key not in keys_of(headers):
            return wrong_key(provider), None
        if complaint := complaint_of(provider, asked, headers):
            code = "INVALID_ARGUMENT" if provider == "gemini" else "invalid_request_error"
            return error(provider, 400, code, complaint), None
        if self.per_minute and not self.admit():
            return rate_limited(provider, 60 / self.per_minute), None
        if self.fault_share and self.random.random() < self.fault_share:
            return self.random.choice(PASSING)(provider), None
        chosen = self.scripted.popleft() if self.scripted else Answer(seconds=self.seconds)
        if chosen.body is not None or chosen.manner == "drop":
            return chosen, None
        caption = caption_of(self.picture(provider, asked))
        return replace(chosen, body=document(provider, caption)), None if chosen.manner == "cut" else caption

    def admit(self) -> bool:
        """A bucket of `burst` requests that fills at the admitted rate (GCRA)."""
        assert self.per_minute
        interval, now = 60 / self.per_minute, time.monotonic()
        earliest = max(self.admitted_at, now)
        if earliest - now > interval * (self.burst - 1):
            return False
        self.admitted_at = earliest + interval
        return True

    def counts(self) -> dict[str, Any]:
        return {
            "answered": sum(self.answered.values()),
            "captions": len(self.answered),
            "statuses": {str(status): count for status, count in self.statuses.items()},
            "most_in_flight": self.most_in_flight,
        }

    def picture(self, provider: str, asked: Any) -> bytes:
        """The bytes of the picture in a request."""
        if provider == "openai":
            content = asked["messages"][-1]["content"]
            url = next(part["image_url"]["url"] for part in content if part["type"] == "image_url")
            return base64.b64decode(url.partition(",")[2])
        if provider == "anthropic":
            content = asked["messages"][-1]["content"]
            return base64.b64decode(
                next(each["source"]["data"] for each in content if each["type"] == "image")
            )
        parts = asked["contents"][-1]["parts"]
        for part in parts:
            if inline := part.get("inlineData"):
                # Google's JSON takes both alphabets of base64.
                return base64.b64decode(inline["data"].replace("-", "+").replace("_", "/"))
            if file := part.get("fileData"):
                uri = file.get("fileUri") or file["file_uri"]
                return self.files[uri.rpartition("/")[2]][1]
        raise AssertionError("the request holds no picture")

    def files_api(self, method: str, path: str, headers: Mapping[str, str], data: bytes) -> Answer:
        """ai.google.dev/api/files: a resumable upload in two steps, then get and delete."""
        if self.keep_requests:
            self.requests.append(Request(method, path, headers, None))
        name = path.rpartition("/")[2]
        if method == "POST" and headers.get("x-goog-upload-command") == "start":
            upload = f"u{len(self.uploads)}"
            self.uploads[upload] = headers["x-goog-upload-header-content-type"]
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


def provider_of(path: str) -> str | None:
    if path.endswith("/chat/completions"):
        return "openai"
    if path.endswith("/messages"):
        return "anthropic"
    return "gemini" if re.fullmatch(r"/v1(beta)?/models/[^/]+:generateContent", path) else None


def keys_of(headers: Mapping[str, str]) -> list[str]:
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    return [bearer, headers.get("x-api-key", ""), headers.get("x-goog-api-key", "")]


def caption_of(picture: bytes) -> str:
    return f"picture {hashlib.sha256(picture).hexdigest()[:16]}"


def wrong_key(provider: str) -> Answer:
    """What each says of a key that it does not know, or no longer."""
    if provider == "openai":
        return error(provider, 401, "invalid_api_key", "Incorrect API key provided")
    if provider == "anthropic":
        return error(provider, 401, "authentication_error", "invalid x-api-key")
    info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
    return error(provider, 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", [info])


def complaint_of(provider: str, asked: Any, headers: Mapping[str, str]) -> str:
    """What is wrong with a request by the provider's documentation; empty where nothing is."""
    try:
        if provider == "gemini":
            parts = asked["contents"][-1]["parts"]
            held = [part.get("inlineData") or part.get("fileData") for part in parts if "text" not in part]
            types = [each.get("mimeType") or each["mime_type"] for each in held]  # Google takes both
            texts = [part["text"] for part in parts if "text" in part]
        else:
            content = asked["messages"][-1]["content"]
            texts = [part["text"] for part in content if part["type"] == "text"]
            if not asked["model"]:
                return "model: required"
            if provider == "openai":
                urls = [part["image_url"]["url"] for part in content if part["type"] == "image_url"]
                types = [url.removeprefix("data:").partition(";")[0] for url in urls]
            else:
                types = [part["source"]["media_type"] for part in content if part["type"] == "image"]
                if "anthropic-version" not in headers or not isinstance(asked["max_tokens"], int):
                    return "max_tokens: required, and the header anthropic-version"
        if len(types) != 1 or types[0] not in MEDIA_TYPES[provider]:
            return f"messages: one image of a known type is expected, found {types}"
        if any(not text.strip() for text in texts):
            return "messages: text content blocks must be non-empty"
    except (KeyError, TypeError, IndexError) as problem:
        return f"messages: {problem!r}"
    return ""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument(
        "--port-file", type=Path, required=True, help="where to write the port, once it listens"
    )
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0, help="how long an answer takes")
    parser.add_argument("--fault-share", type=float, default=0.0, help="of the requests, from 0 to 1")
    parser.add_argument("--per-minute", type=float, help="how many requests are admitted")
    parser.add_argument("--burst", type=float, default=10.0, help="how many of them at once")
    typed = parser.parse_args()
    server = ProviderServer(
        typed.seconds, typed.fault_share, typed.per_minute, typed.burst, port=typed.port, keep_requests=False
    )

    def started() -> None:
        part = typed.port_file.with_suffix(".part")
        part.write_text(str(server.port), encoding="utf-8")
        part.replace(typed.port_file)

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(server.serve(started))


if __name__ == "__main__":
    main()
