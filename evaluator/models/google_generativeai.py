"""Gemini by google-generativeai, the SDK before google-genai, for installations that still pin it.

Google no longer maintains it; prefer gemini.py. Its calls are synchronous, here in threads over REST, and it
has no seed, no options for reasoning and no media resolution. Its own retry, which takes minutes, is off. The
same function reads the bytes that both packages receive, so that both give the same outcomes.
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from evaluator.core import Item, Prompt
from evaluator.models.asked import Asked
from evaluator.models.failures import Failure, failure_from_connection
from evaluator.models.gemini import GeminiOptions, GoogleSession
from evaluator.models.wire import text_of

if TYPE_CHECKING:
    from evaluator.models.requests_adapter import BoundedAdapter

# At least as many threads as a runner has requests in flight; they wait, and cost almost nothing.
MAX_THREADS = 256


GenerativeAIClient = tuple[Any, "BoundedAdapter", ThreadPoolExecutor]


class GenerativeAISession(GoogleSession[GenerativeAIClient]):
    captioner: GoogleGenerativeAI

    def connect(self) -> GenerativeAIClient:
        with warnings.catch_warnings():  # the package announces its end at every import; `check` says it once
            warnings.simplefilter("ignore")
            import google.generativeai as genai

        genai.configure(
            api_key=self.key,
            transport="rest",
            client_options={"api_endpoint": self.captioner.base_url.removesuffix("/")},
        )
        model = genai.GenerativeModel(self.captioner.model, system_instruction=self.prompt.system or None)
        return model, connect_for_threads(model), ThreadPoolExecutor(MAX_THREADS, "generativeai")

    async def disconnect(self, client: GenerativeAIClient) -> None:
        model, _, threads = client
        threads.shutdown(wait=False, cancel_futures=True)
        model._client.transport.close()

    async def request(self, client: GenerativeAIClient, asked: Asked) -> str:
        model, adapter, threads = client
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(threads, self.generate, model, adapter, asked)

    def generate(self, model: Any, adapter: BoundedAdapter, asked: Asked) -> str:
        options = self.captioner
        generation = {"max_output_tokens": options.max_output_tokens, "temperature": options.temperature}
        picture = asked.picture
        image = {"mime_type": picture.media_type, "data": picture.data} if picture else None
        model.generate_content(
            self.contents(asked.text, image),
            generation_config={name: value for name, value in generation.items() if value is not None},
            safety_settings=options.safety_settings or None,
            request_options={"timeout": options.timeout_seconds, "retry": None},
        )
        return text_of(adapter.take_body())

    def failure(self, error: Exception) -> Failure | None:
        import requests
        from google.api_core.exceptions import RetryError
        from urllib3.exceptions import HTTPError, TimeoutError

        if isinstance(error, requests.RequestException | RetryError | HTTPError):
            timed_out = isinstance(error, requests.Timeout | RetryError | TimeoutError)
            return failure_from_connection(error, timed_out)
        return None


@dataclass(frozen=True, kw_only=True)
class GoogleGenerativeAI(GeminiOptions):
    """The options that the older package has."""

    kind: ClassVar[str] = "google-generativeai"

    package: ClassVar[str] = "google.generativeai"
    extra: ClassVar[str] = "google-generativeai"
    session = GenerativeAISession

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        return (
            *super().check(prompt, items),
            "Google no longer maintains google-generativeai. Type model=gemini, which reaches the same "
            "models by Google's current package",
        )


# The package has no public way to do the following, so its private attributes are used.
# This backend is to be removed in the first release after 2027-06-30.


def connect_for_threads(model: Any) -> BoundedAdapter:
    """One client for all threads, with a connection each, that sends a request once."""
    from google.generativeai.client import get_default_generative_client

    from evaluator.models.requests_adapter import BoundedAdapter

    # Taken now: each thread would open one of its own, and `configure` holds for the whole process.
    model._client = get_default_generative_client()
    connections = model._client.transport._session
    adapter = BoundedAdapter(MAX_THREADS)  # by default ten connections are kept
    for scheme in ("http://", "https://"):
        connections.mount(scheme, adapter)
    return adapter
