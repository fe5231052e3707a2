"""OpenAI and compatible servers of chat completions: vLLM, Ollama, OpenRouter, LM Studio, transformers serve.

The reference is developers.openai.com/api/reference, "Create chat completion", and for errors inside an
answer openrouter.ai/docs/api/reference/errors-and-debugging. The picture is sent as a data URL. The answer is
read as plain JSON, so that an unknown finish reason becomes an outcome and not a crash.

    evaluator run model=gpt-mini prompt=one-sentence data=coco ...
    evaluator run model=ollama model.model=llava prompt=one-sentence data=coco ...
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from uuid import uuid4

from evaluator.core import Outcome, Reply
from evaluator.core.batch_jobs import BatchLimits
from evaluator.core.errors import CaptionError
from evaluator.models.answers import WrongType, billed, joined, mapping, mappings, number, part, text
from evaluator.models.asked import MOST_ALTERNATIVES, Asked, token_choices
from evaluator.models.cloud import CloudCaptioner
from evaluator.models.failures import failure_from_document
from evaluator.models.generated_sdk import GeneratedSDK
from evaluator.models.openai_batches import LIMITS, OpenAIBatches
from evaluator.models.wire import text_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

# The finish reasons of a complete answer; some servers give none.
ENDED = ("stop", "stop_sequence", "eos_token", "end_turn", "")


class OpenAISession(GeneratedSDK["AsyncOpenAI"]):
    captioner: OpenAICompatible
    client_name: ClassVar[str] = "AsyncOpenAI"
    own_domain: ClassVar[str] = "openai.com"
    no_key: ClassVar[str] = "none"  # the SDK requires one, local servers ignore it
    cut_off: ClassVar[tuple[str, ...]] = ("length", "max_tokens")

    @cached_property
    def batch_provider(self) -> OpenAIBatches:
        return OpenAIBatches(self, self.content)

    async def request(self, client: AsyncOpenAI, asked: Asked) -> str:
        import httpx2

        # `chat.completions.create` would look through the whole request and the whole answer for their types,
        # which takes a third of the time of a request.
        response = await client.post(
            "/chat/completions",
            cast_to=httpx2.Response,
            content=self.content(asked),
            options={"security": {"bearer_auth": True}},
        )
        return text_of(response.content)

    def content(self, asked: Asked) -> bytes:
        """The body of the request as JSON. Base64 needs no escaping, so the picture is just inserted."""
        if asked.picture is None:
            return json.dumps(self.body(asked.text, asked.wants_probabilities)).encode()
        before, after = self.around_the_picture(asked.text, asked.wants_probabilities)
        media_type = asked.picture.media_type.encode()
        data = base64.b64encode(asked.picture.data)
        return b"".join((before, b"data:", media_type, b";base64,", data, after))

    def around_the_picture(self, text: str, wants_probabilities: bool) -> tuple[bytes, bytes]:
        """What stands before and after the picture's URL: the same in all requests for a caption."""
        if text != self.text or wants_probabilities:
            return self._around_the_picture(text, wants_probabilities)
        if self._around is None:
            self._around = self._around_the_picture(text, wants_probabilities)
        return self._around

    _around: tuple[bytes, bytes] | None = None

    def _around_the_picture(self, text: str, wants_probabilities: bool) -> tuple[bytes, bytes]:
        mark = uuid4().hex
        before, after = json.dumps(self.body(text, wants_probabilities, mark)).encode().split(mark.encode())
        return before, after

    def body(self, text: str, wants_probabilities: bool = False, picture_url: str = "") -> dict[str, Any]:
        """The request. Only what is set is sent, since many servers refuse options that they do not know."""
        options = self.captioner
        content: Any = text  # models without eyes take nothing but a text
        if picture_url:
            url = {"url": picture_url} | ({"detail": options.detail} if options.detail else {})
            content = [{"type": "image_url", "image_url": url}]
            if text:
                content.append({"type": "text", "text": text})
        system = [{"role": "system", "content": self.prompt.system}] if self.prompt.system else []
        chosen = {name: getattr(options, name) for name in ("temperature", "seed", "reasoning_effort")}
        wanted = {"logprobs": True, "top_logprobs": MOST_ALTERNATIVES} if wants_probabilities else {}
        return {
            "model": options.model,
            "messages": [*system, {"role": "user", "content": content}],
            options.max_tokens_name: options.max_output_tokens,
            **{name: value for name, value in chosen.items() if value is not None},
            **wanted,
            **options.extra_body,
        }

    def billed(self, answer: Mapping[str, Any]) -> Reply:
        usage = part(answer, "usage")
        return billed(
            model_version=answer.get("model"),
            input_tokens=number(usage.get("prompt_tokens")),
            output_tokens=number(usage.get("completion_tokens")),
            reasoning_tokens=number(part(usage, "completion_tokens_details").get("reasoning_tokens")),
            cached_input_tokens=number(part(usage, "prompt_tokens_details").get("cached_tokens")),
        )

    def read(self, answer: Mapping[str, Any]) -> Reply:
        choices = mappings(answer.get("choices"))
        failed = answer.get("error") or (choices[0].get("error") if choices else None)
        if failed:  # the provider behind a reseller failed after the reseller sent status 200
            status = failed.get("code") if isinstance(failed, Mapping) else None
            status = status if isinstance(status, int) and 400 <= status < 600 else 502
            raise self.error(failure_from_document(status, {}, {"error": failed}))
        if "choices" not in answer:
            raise WrongType(f"it has no choices: {sorted(answer)}")
        choice = choices[0] if choices else {}
        message = mapping(choice.get("message"))
        finish = text(choice.get("finish_reason"))
        refusal = text(message.get("refusal"))
        written = content_text(message.get("content"))
        reply = replace(
            self.billed(answer),
            text=written or refusal,
            finish_reason=finish,
            token_choices=token_choices(written, tokens_of(choice)) if choice.get("logprobs") else (),
        )
        if refusal:
            raise CaptionError(Outcome.REFUSED, f"refused: {refusal}", reply)
        if finish == "content_filter":
            raise CaptionError(Outcome.BLOCKED, f"blocked: {finish}{_categories(choice)}", reply)
        if finish not in (*ENDED, *self.cut_off):
            raise CaptionError(Outcome.ERROR, f"unknown finish reason: {finish}", reply)
        if reply.text and finish in self.cut_off:  # not by the usage: some servers count no tokens
            limit = self.captioner.max_output_tokens
            raise CaptionError(Outcome.TRUNCATED, f"cut off after {limit} tokens ({finish})", reply)
        return reply


@dataclass(frozen=True, kw_only=True)
class OpenAICompatible(CloudCaptioner):
    """Chat completions at `base_url`; `max_tokens_name` is the server's name for the limit of the answer."""

    kind: ClassVar[str] = "openai-compatible"

    detail: Literal["auto", "low", "high", "original"] | None = None
    seed: int | None = None
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    package: ClassVar[str] = "openai"
    extra: ClassVar[str] = "openai"
    max_bytes: ClassVar[int] = 20_000_000
    batch_limits: ClassVar[BatchLimits] = LIMITS
    session = OpenAISession


def content_text(content: Any) -> str:
    """Some servers answer with a list of parts, as requests have it. Raises WrongType."""
    if isinstance(content, list):
        return joined(each.get("text") for each in mappings(content))
    return text(content).strip()


def tokens_of(choice: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, float]]]]:
    """Each token of the answer, and what could have stood in its place; none where the form is another."""
    try:
        return [
            (each["token"], [(other["token"], float(other["logprob"])) for other in each["top_logprobs"]])
            for each in choice["logprobs"]["content"]
        ]
    except (KeyError, TypeError, ValueError):
        return []


def _categories(choice: Mapping[str, Any]) -> str:
    """The categories of Azure's content filter, which come with the finish reason."""
    results = part(choice, "content_filter_results")
    named = [name for name, value in results.items() if isinstance(value, Mapping) and value.get("filtered")]
    return f" ({', '.join(named)})" if named else ""
