"""Gemini by google-generativeai, the SDK before google-genai, for installations that still pin it.

It is at the end of its life: its calls are synchronous, here in threads over REST, and it knows no seed, no
thinking options and no media resolution. gemini.py is to be preferred. Its own retry, which runs for minutes,
is off; its answers are read by the same function, so that both packages give the same outcomes.

    evaluator run model=gemini-generativeai prompt=one-sentence data=coco ...
"""

from __future__ import annotations

import asyncio
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, ClassVar

from evaluator.core import Item, Prompt, Reply
from evaluator.models.cloud import CloudSession, request_text
from evaluator.models.encoded_pictures import EncodedPicture
from evaluator.models.failures import Failure, described, of_connection, of_response
from evaluator.models.gemini import GeminiOptions, reply_of

# As many threads as a runner has requests in flight; they wait, and cost next to nothing.
MOST_THREADS = 256


@dataclass(frozen=True, kw_only=True)
class GoogleGenerativeAI(GeminiOptions):
    """The options that the older package has."""

    kind: ClassVar[str] = "google-generativeai"

    package: ClassVar[str] = "google.generativeai"
    extra: ClassVar[str] = "google-generativeai"

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """The package is at the end of its life."""
        return (
            *super().check(prompt, items),
            "google-generativeai is no longer kept by Google: after pip install 'evaluator[gemini]', "
            "model=gemini asks the same models",
        )

    def session(self, prompt: Prompt, key: str) -> GenerativeAISession:
        return GenerativeAISession(self, prompt, key)


class GenerativeAISession(CloudSession):
    captioner: GoogleGenerativeAI

    def connect(self) -> Any:
        with (
            warnings.catch_warnings()
        ):  # it announces its own end whenever it is imported; `check` says so once
            warnings.simplefilter("ignore")
            import google.generativeai as genai
            from google.generativeai.client import get_default_generative_client
            from requests.adapters import HTTPAdapter

        genai.configure(
            api_key=self.secret,
            transport="rest",
            client_options={"api_endpoint": self.captioner.base_url.removesuffix("/")},
        )
        model = genai.GenerativeModel(self.captioner.model, system_instruction=self.prompt.system or None)
        # Taken now: the threads would each make one, and `configure` is one for the whole process.
        model._client = get_default_generative_client()
        connections = model._client.transport._session
        for scheme in ("http://", "https://"):  # ten connections are kept otherwise
            connections.mount(scheme, HTTPAdapter(pool_maxsize=MOST_THREADS))
        connections._max_refresh_attempts = 0  # after a 401 it would ask twice more
        return model, ThreadPoolExecutor(MOST_THREADS, "generativeai")

    async def disconnect(self, client: Any) -> None:
        model, threads = client
        threads.shutdown(wait=False, cancel_futures=True)
        model._client.transport.close()

    async def request(self, client: Any, picture: EncodedPicture) -> str:
        model, threads = client
        return await asyncio.get_running_loop().run_in_executor(threads, self.generate, model, picture)

    def generate(self, model: Any, picture: EncodedPicture) -> str:
        from google.protobuf.json_format import MessageToJson

        options = self.captioner
        generation = {"max_output_tokens": options.max_output_tokens, "temperature": options.temperature}
        text = request_text(self.prompt)
        image = {"mime_type": picture.media_type, "data": picture.data}
        answer = model.generate_content(
            [image, text] if text else [image],
            generation_config={name: value for name, value in generation.items() if value is not None},
            safety_settings=options.safety_settings or None,
            request_options={"timeout": options.timeout_seconds, "retry": None},
        )
        return str(MessageToJson(answer._result._pb))

    def failure(self, error: Exception) -> Failure | None:
        import requests
        from google.api_core import exceptions
        from google.protobuf.json_format import ParseError

        if isinstance(error, exceptions.GoogleAPICallError):
            if error.response is not None:
                headers = {name.lower(): value for name, value in error.response.headers.items()}
                try:
                    document = error.response.json()
                except ValueError:
                    return of_response(error.response)
                return described(error.response.status_code, headers, document)
            return Failure(int(error.code or 0), "", error.message)
        if isinstance(error, ParseError):
            return Failure(0, "malformed answer", "the answer is not JSON")
        if isinstance(error, requests.RequestException | exceptions.RetryError):
            return of_connection(error, isinstance(error, requests.Timeout | exceptions.RetryError))
        return None

    def number(self, answer: Mapping[str, Any]) -> str:
        return str(answer.get("responseId") or "")

    def read(self, answer: Mapping[str, Any]) -> Reply:
        return reply_of(answer, self.captioner.max_output_tokens)
