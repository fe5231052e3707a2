"""A remote captioner of one's own, over plain httpx2, as somebody would write one for a service of theirs."""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx2

from evaluator.core import RUNTIME_ONLY, Item, Outcome, Prompt, Reply, Usage
from evaluator.core.errors import CaptionError, ModelError, RetryableError


@dataclass(frozen=True)
class Picture:
    item_id: str
    content: bytes


@dataclass(frozen=True)
class Remote:
    """Asks the server of the tests at `url`."""

    url: str = field(default="", metadata=RUNTIME_ONLY)
    model: str = "test-model"
    max_output_tokens: int = 20

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return ()

    def usage(self, prompt: Prompt) -> Usage:
        return Usage(self.model, (80, 100), (5, self.max_output_tokens))

    @contextmanager
    def open(self, prompt: Prompt) -> Iterator[RemoteSession]:
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=None)
        headers = {"authorization": f"Bearer {os.environ.get('REMOTE_API_KEY', 'none')}"}
        yield RemoteSession(
            self, prompt, httpx2.AsyncClient(limits=limits, headers=headers, timeout=None, trust_env=False)
        )


@dataclass(frozen=True)
class RemoteSession:
    options: Remote
    prompt: Prompt
    client: httpx2.AsyncClient

    def prepare(self, item: Item) -> Picture:
        return Picture(item.id, item.image.read_bytes() if item.image else item.id.encode())

    def cache_key(self, prepared: Picture) -> Mapping[str, Any]:
        return {
            "image": hashlib.sha256(prepared.content).hexdigest(),
            "model": self.options.model,
            "prompt": [self.prompt.system, self.prompt.text],
            "max_output_tokens": self.options.max_output_tokens,
        }

    async def ask(self, prepared: Picture) -> Reply:
        document = {
            "item": prepared.item_id,
            "image": base64.b64encode(prepared.content).decode(),
            "prompt": self.prompt.text,
        }
        try:
            response = await self.client.post(f"{self.options.url}/caption", json=document)
            answer = response.json() if response.status_code == 200 else {}
        except httpx2.TransportError as error:
            raise RetryableError(f"the connection broke ({error!r})", "connection") from error
        except ValueError as error:
            raise RetryableError("the answer is not JSON", "malformed") from error
        if response.status_code in (429, 503, 529):
            wait = response.headers.get("retry-after")
            kind = "rate limit" if response.status_code == 429 else "overloaded"
            raise RetryableError(
                f"HTTP {response.status_code}", kind, float(wait) if wait else None, affects_all_requests=True
            )
        if response.status_code in (401, 402):
            raise ModelError(f"HTTP {response.status_code}: the key is refused or its credit is used up")
        if response.status_code != 200:
            raise CaptionError(Outcome.ERROR, f"HTTP {response.status_code}")
        reply = Reply(
            answer["text"],
            model_version=f"{self.options.model}-001",
            input_tokens=answer["input_tokens"],
            output_tokens=answer["output_tokens"],
            finish_reason=answer["finish_reason"],
        )
        if reply.finish_reason == "refused":
            raise CaptionError(Outcome.REFUSED, "the model refused", reply)
        return reply

    async def close(self) -> None:
        await self.client.aclose()
