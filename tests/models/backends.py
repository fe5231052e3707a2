"""What the tests of all cloud captioners share: one of each, and asking it in an event loop of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from evaluator.core import Item, Prompt, Reply
from evaluator.core.errors import EvaluatorError
from evaluator.models.anthropic_claude import AnthropicClaude
from evaluator.models.cloud import CloudCaptioner
from evaluator.models.gemini import Gemini
from evaluator.models.google_generativeai import GoogleGenerativeAI
from evaluator.models.openai_compatible import OpenAICompatible
from tests.provider_server import ProviderServer
from tests.wire_formats import Answer

PROMPT = Prompt("test", "Describe it.", system="Be brief.", shots=("a dog",))

# Each backend with the provider whose format it speaks.
BACKENDS: dict[str, tuple[str, Callable[..., CloudCaptioner]]] = {
    "openai": ("openai", OpenAICompatible),
    "anthropic": ("anthropic", AnthropicClaude),
    "gemini": ("gemini", Gemini),
    "generativeai": ("gemini", GoogleGenerativeAI),
}


def captioner(backend: str, server: ProviderServer, **options: Any) -> Any:
    provider, kind = BACKENDS[backend]
    defaults = {
        "model": "gemini-2.5-flash" if provider == "gemini" else "some-model",
        "base_url": server.base_url(provider),
        "key_variable": f"{provider.upper()}_API_KEY",
        "max_output_tokens": 100,
        "longest_side": 1024,
        "timeout_seconds": 20.0,
    }
    return kind(**(defaults | options))


def ask(
    asked: CloudCaptioner, photo: Path, times: int = 1, prompt: Prompt = PROMPT
) -> list[Reply | EvaluatorError]:
    """What asking so often gives, one after the other: replies, and the errors that were raised."""

    async def run() -> list[Reply | EvaluatorError]:
        found: list[Reply | EvaluatorError] = []
        with asked.open(prompt) as session:
            try:
                for _ in range(times):
                    try:
                        found.append(await session.ask(session.prepare(Item("1", photo))))
                    except EvaluatorError as error:
                        found.append(error)
            finally:
                await session.close()
        return found

    return asyncio.run(run())


def outcome_of(backend: str, server: ProviderServer, photo: Path, answer: Answer, **options: Any) -> Any:
    """What a backend makes of one answer, for which it asks exactly once."""
    server.script(answer)
    before = len(server.requests)
    (found,) = ask(captioner(backend, server, **options), photo)
    assert len(server.requests) == before + 1
    return found
