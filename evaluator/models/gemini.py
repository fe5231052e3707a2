"""Gemini by google-genai, the SDK that Google maintains (ai.google.dev/api/generate-content).

A blocked prompt or candidate raises no error in this SDK: the answer just has no text. So the answer is read
as plain JSON here, and each reason becomes an outcome. Everything that could bill twice is off: automatic
continuation, automatic function calls, the SDK's own retries. A picture that is too large for a request goes
through the Files API and is deleted there afterwards.

    evaluator run model=gemini prompt=one-sentence data=coco ...
"""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt

from evaluator.core import RUNTIME_ONLY, Item, Outcome, Prompt, Reply
from evaluator.core.batch_jobs import BatchLimits
from evaluator.core.errors import CaptionError, ConfigError
from evaluator.models.answers import WrongType, billed, joined, mapping, mappings, number, part, text
from evaluator.models.asked import MOST_ALTERNATIVES, Asked, token_choices
from evaluator.models.cloud import THINKING_ROOM_TOKENS, Client, CloudCaptioner, CloudSession
from evaluator.models.failures import Failure, failure_from_connection
from evaluator.models.gemini_batches import LIMITS, GeminiBatches

if TYPE_CHECKING:
    from httpx2 import AsyncClient

Threshold = Literal["off", "block_none", "block_only_high", "block_medium_and_above", "block_low_and_above"]
HARMS = ("HARASSMENT", "HATE_SPEECH", "SEXUALLY_EXPLICIT", "DANGEROUS_CONTENT")
# The finish reasons of an answer that Gemini, or a rule of the account, withholds.
WITHHELD = (
    *("SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"),
    *("IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION", "PUP_LIMITED_DISABLED"),
)
PROCESSING_SECONDS = 0.5  # between two checks whether an uploaded file is ready


@dataclass(frozen=True, kw_only=True)
class GeminiOptions(CloudCaptioner):
    """The options that both of Google's packages have."""

    base_url: str = "https://generativelanguage.googleapis.com"
    key_variable: str | None = field(default="GEMINI_API_KEY", metadata=RUNTIME_ONLY)
    key_page: str = field(default="https://aistudio.google.com/apikey", metadata=RUNTIME_ONLY)
    safety: Threshold | None = None

    max_bytes: ClassVar[int] = 14_000_000  # with base64 and the prompt within 20 MB, the limit of a request

    @property
    def safety_settings(self) -> list[dict[str, str]]:
        if self.safety is None:
            return []
        return [{"category": f"HARM_CATEGORY_{harm}", "threshold": self.safety.upper()} for harm in HARMS]

    @property
    def generation(self) -> int | None:
        """The 3 of gemini-3.8-flash; None for a name without a number."""
        match = re.search(r"gemini-(\d+)", self.model)
        return int(match[1]) if match else None


class GoogleSession(CloudSession[Client]):
    """The answers of both of Google's packages, read in the same way so that outcomes are the same."""

    cut_off: ClassVar[tuple[str, ...]] = ("MAX_TOKENS",)
    own_domain: ClassVar[str] = "googleapis.com"

    def contents(self, text: str, image: Any = None) -> list[Any]:
        return [part for part in (image, text) if part]

    def billed(self, answer: Mapping[str, Any]) -> Reply:
        usage = part(answer, "usageMetadata")
        # A number that Google's JSON leaves out is zero, and reasoning is billed as output.
        prompt, answered = (number(usage.get(f"{name}TokenCount", 0)) for name in ("prompt", "candidates"))
        total = number(usage.get("totalTokenCount", 0))
        if not usage or prompt is None or answered is None or total is None:
            return billed(answer.get("modelVersion"), None, None, None, None)
        reasoning = number(usage.get("thoughtsTokenCount", max(0, total - prompt - answered)))
        return billed(
            model_version=answer.get("modelVersion"),
            input_tokens=prompt,
            output_tokens=None if reasoning is None else answered + reasoning,
            reasoning_tokens=reasoning,
            cached_input_tokens=number(usage.get("cachedContentTokenCount")),
        )

    def read(self, answer: Mapping[str, Any]) -> Reply:
        if not {"candidates", "promptFeedback", "usageMetadata"} & answer.keys():
            raise WrongType(f"it has neither candidates nor usage: {sorted(answer)}")
        feedback, candidates = mapping(answer.get("promptFeedback")), mappings(answer.get("candidates"))
        candidate = candidates[0] if candidates else {}
        parts = mappings(mapping(candidate.get("content")).get("parts"))
        blocked, finish = text(feedback.get("blockReason")), text(candidate.get("finishReason"))
        reply = replace(
            self.billed(answer),
            text=(written := joined(each.get("text") for each in parts if not each.get("thought"))),
            finish_reason=blocked or finish,
            token_choices=token_choices(written, tokens_of(candidate)),
        )
        if blocked:
            named = _categories(feedback.get("safetyRatings"))
            raise CaptionError(Outcome.BLOCKED, f"the prompt or picture was blocked: {blocked}{named}", reply)
        if finish in WITHHELD:
            named = _categories(candidate.get("safetyRatings"))
            raise CaptionError(Outcome.BLOCKED, f"the answer was blocked: {finish}{named}", reply)
        if not candidates:
            raise CaptionError(Outcome.EMPTY, "the answer has no candidates", reply)
        if finish not in ("STOP", *self.cut_off):
            more = text(candidate.get("finishMessage"))
            message = f"unknown finish reason: {finish or 'none'} {more}".strip()
            raise CaptionError(Outcome.ERROR, message, reply)
        return reply


class GeminiSession(GoogleSession[tuple[Any, "AsyncClient"]]):
    captioner: Gemini

    def connect(self) -> tuple[Any, AsyncClient]:
        import httpx2
        from google import genai

        # Not the SDK's own client, which has 100 connections at most, and differs where aiohttp is installed.
        http = httpx2.AsyncClient(**self.client_options())
        options = {
            "base_url": self.captioner.base_url,
            "timeout": int(1000 * self.captioner.timeout_seconds),
            "httpx_async_client": http,
        }
        # Address and key are those of the Gemini API, even where the environment configures Vertex.
        return genai.Client(vertexai=False, api_key=self.key, http_options=options), http

    async def disconnect(self, client: tuple[Any, AsyncClient]) -> None:
        google, http = client
        await google.aio.aclose()
        await http.aclose()
        google.close()

    async def request(self, client: tuple[Any, AsyncClient], asked: Asked) -> str:
        from google.genai import types

        google, _ = client
        picture = asked.picture
        if picture is None:
            return await self.generate(google, asked)
        if len(picture.data) <= self.captioner.files_api_above_bytes:
            image = types.Part.from_bytes(data=picture.data, mime_type=picture.media_type)
            return await self.generate(google, asked, image)
        config = {"mime_type": picture.media_type}
        file = await google.aio.files.upload(file=io.BytesIO(picture.data), config=config)
        try:
            while str(getattr(file.state, "value", file.state)) == "PROCESSING":
                await asyncio.sleep(PROCESSING_SECONDS)
                file = await google.aio.files.get(name=file.name)
            image = types.Part.from_uri(file_uri=file.uri, mime_type=file.mime_type)
            return await self.generate(google, asked, image)
        finally:
            with suppress(Exception):  # Google deletes it after two days
                await google.aio.files.delete(name=file.name)

    @cached_property
    def batch_provider(self) -> GeminiBatches:
        return GeminiBatches(self, self.request_body)

    async def request_body(self, asked: Asked) -> str:
        """The body of the request as JSON: what the SDK makes of it, by a client that sends nothing."""
        from google.genai import types

        picture, image = asked.picture, None
        if picture is not None:
            if len(picture.data) > self.captioner.files_api_above_bytes:
                raise CaptionError(
                    Outcome.ERROR,
                    f"the picture takes {len(picture.data) / 1e6:.1f} MB, and a request of a batch at most "
                    f"{self.captioner.files_api_above_bytes / 1e6:g} MB. Type runner=default for it",
                    may_be_billed=False,
                )
            image = types.Part.from_bytes(data=picture.data, mime_type=picture.media_type)
        return await self.generate(self._echo, asked, image)

    @cached_property
    def _echo(self) -> Any:
        """A client whose every answer is the body of the request."""
        import httpx2
        from google import genai

        def answer(request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, content=request.content)

        http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
        options = {"base_url": self.captioner.base_url, "httpx_async_client": http}
        return genai.Client(vertexai=False, api_key="none", http_options=options)

    async def generate(self, google: Any, asked: Asked, image: Any = None) -> str:
        wanted = {"response_logprobs": True, "logprobs": MOST_ALTERNATIVES}
        answer = await google.aio.models.generate_content(
            model=self.captioner.model,
            contents=self.contents(asked.text, image),
            config=self.config() | (wanted if asked.wants_probabilities else {}),
        )
        return str(answer.sdk_http_response.body)

    def config(self) -> dict[str, Any]:
        options = self.captioner
        thinking: dict[str, Any] = {}
        if options.thinking_budget is not None:
            thinking["thinking_budget"] = options.thinking_budget
        if options.thinking_level is not None:
            thinking["thinking_level"] = options.thinking_level.upper()
        resolution = options.media_resolution and f"MEDIA_RESOLUTION_{options.media_resolution.upper()}"
        config = {
            "system_instruction": self.prompt.system or None,
            "max_output_tokens": options.max_output_tokens,
            "temperature": options.temperature,
            "seed": options.seed,
            "media_resolution": resolution,
            "safety_settings": options.safety_settings or None,
            "thinking_config": thinking or None,
            "automatic_continuation": False,
            "automatic_function_calling": {"disable": True},
            "should_return_http_response": True,
        }
        return {name: value for name, value in config.items() if value is not None}

    def failure(self, error: Exception) -> Failure | None:
        import httpx2

        if isinstance(error, httpx2.HTTPError):
            return failure_from_connection(error, isinstance(error, httpx2.TimeoutException))
        return None


@dataclass(frozen=True, kw_only=True)
class Gemini(GeminiOptions):
    """`thinking_budget` in tokens is for Gemini 2.5, `thinking_level` for 3 and later; never both."""

    kind: ClassVar[str] = "gemini"

    seed: int | None = None
    media_resolution: Literal["low", "medium", "high"] | None = None
    thinking_budget: Annotated[int, Ge(-1)] | None = None
    thinking_level: Literal["minimal", "low", "medium", "high"] | None = None
    files_api_above_bytes: Annotated[int, Gt(0)] = field(default=14_000_000, metadata=RUNTIME_ONLY)

    package: ClassVar[str] = "google.genai"
    extra: ClassVar[str] = "gemini"
    max_bytes: ClassVar[int] = 100_000_000  # through the Files API
    batch_limits: ClassVar[BatchLimits] = LIMITS
    session = GeminiSession

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """The option for reasoning must be the model's own, and leave room for a caption."""
        warnings = super().check(prompt, items)
        if self.thinking_budget is not None and self.thinking_level is not None:
            raise ConfigError(
                "model.thinking_budget and model.thinking_level cannot both be set: Gemini 2.5 takes the "
                "budget, 3 and later take the level. Type model.thinking_budget=null or "
                "model.thinking_level=null"
            )
        if self.thinking_level is not None and self.generation == 2:
            raise ConfigError(
                "model.thinking_level: Gemini 2.5 takes model.thinking_budget, in tokens, instead"
            )
        if self.thinking_budget is not None and (self.generation or 0) >= 3:
            raise ConfigError("model.thinking_budget: Gemini 3 and later take model.thinking_level instead")
        needed = self.room_for_thinking + 64
        if self.max_output_tokens >= needed:
            return warnings
        return (
            *warnings,
            f"model.max_output_tokens={self.max_output_tokens}: the model's reasoning counts against this "
            f"limit, {self.room_for_thinking} tokens or more as configured, so captions may be empty. "
            f"Let the model reason less, or type model.max_output_tokens={max(2048, needed)}",
        )

    @property
    def room_for_thinking(self) -> int:
        """The tokens to leave for reasoning; `minimal` means almost none."""
        if self.thinking_budget is not None and self.thinking_budget >= 0:
            return self.thinking_budget
        if self.thinking_budget == -1:
            return THINKING_ROOM_TOKENS
        little = self.thinking_level == "minimal" or "2.0" in self.model or "2.5-flash-lite" in self.model
        return 0 if little else THINKING_ROOM_TOKENS


def tokens_of(candidate: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, float]]]]:
    """Each token of the answer, and what could have stood in its place; none where the form is another."""
    try:
        result = candidate["logprobsResult"]
        return [
            (
                chosen["token"],
                [(other["token"], float(other["logProbability"])) for other in top["candidates"]],
            )
            for chosen, top in zip(result["chosenCandidates"], result["topCandidates"], strict=True)
        ]
    except (KeyError, TypeError, ValueError):
        return []


def _categories(ratings: Any) -> str:
    """The categories of harm that blocked it; where none is marked so, those with a raised probability."""
    rated = [rating for rating in ratings or [] if isinstance(rating, Mapping)]
    named = [rating for rating in rated if rating.get("blocked")] or [
        rating for rating in rated if rating.get("probability") in ("MEDIUM", "HIGH")
    ]
    words = [str(rating.get("category")).removeprefix("HARM_CATEGORY_").lower() for rating in named]
    return f" ({', '.join(words)})" if words else ""
