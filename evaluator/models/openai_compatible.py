"""OpenAI and all that speak its chat completions: vLLM, Ollama, OpenRouter, LM Studio, transformers serve.

The reference is developers.openai.com/api/reference, "Create chat completion", and for errors inside an
answer openrouter.ai/docs/api/reference/errors-and-debugging. The picture is a data URL; the answer is read as
plain JSON, so that a finish reason that nobody has heard of is an outcome and no crash.

    evaluator run model=gpt-mini prompt=one-sentence data=coco ...
    evaluator run model=ollama model.model=llava prompt=one-sentence data=coco ...
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from evaluator.core import Outcome, Prompt, Reply
from evaluator.core.errors import CaptionError, RetryableError
from evaluator.models.cloud import MOST_CONNECTIONS, CloudCaptioner, CloudSession, request_text, without_text
from evaluator.models.encoded_pictures import EncodedPicture
from evaluator.models.failures import Failure, described, of_connection, of_response

# How servers say that the model came to its end by itself; some say nothing.
ENDED = ("stop", "stop_sequence", "eos_token", "end_turn", "")
CUT_OFF = ("length", "max_tokens")


@dataclass(frozen=True, kw_only=True)
class OpenAICompatible(CloudCaptioner):
    """Chat completions at `base_url`; `max_tokens_name` is what the server calls the limit of the answer."""

    kind: ClassVar[str] = "openai-compatible"

    detail: Literal["auto", "low", "high", "original"] | None = None
    seed: int | None = None
    max_tokens_name: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh"] | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    package: ClassVar[str] = "openai"
    extra: ClassVar[str] = "openai"
    media_types: ClassVar[tuple[str, ...]] = ("image/jpeg", "image/png", "image/webp")
    max_bytes: ClassVar[int] = 20_000_000

    def session(self, prompt: Prompt, key: str) -> OpenAISession:
        return OpenAISession(self, prompt, key)


class OpenAISession(CloudSession):
    captioner: OpenAICompatible

    def connect(self) -> Any:
        import httpx2
        import openai

        limits = httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS)
        return openai.AsyncOpenAI(
            api_key=self.secret or "none",  # the SDK wants one, local servers do not look at it
            base_url=self.captioner.base_url,
            timeout=self.captioner.timeout_seconds,
            max_retries=0,
            http_client=openai.DefaultAsyncHttpxClient(limits=limits),
        )

    async def disconnect(self, client: Any) -> None:
        await client.close()

    async def request(self, client: Any, picture: EncodedPicture) -> str:
        answer = await client.chat.completions.with_raw_response.create(**self.body(picture))
        return str(answer.http_response.text)

    def body(self, picture: EncodedPicture) -> dict[str, Any]:
        """The request: only what is set is sent, since many servers refuse what they do not know."""
        options = self.captioner
        url = {"url": picture.data_url} | ({"detail": options.detail} if options.detail else {})
        content: list[dict[str, Any]] = [{"type": "image_url", "image_url": url}]
        if text := request_text(self.prompt):
            content.append({"type": "text", "text": text})
        system = [{"role": "system", "content": self.prompt.system}] if self.prompt.system else []
        chosen = {
            "temperature": options.temperature,
            "seed": options.seed,
            "reasoning_effort": options.reasoning_effort,
        }
        return {
            "model": options.model,
            "messages": [*system, {"role": "user", "content": content}],
            options.max_tokens_name: options.max_output_tokens,
            **{name: value for name, value in chosen.items() if value is not None},
            **({"extra_body": dict(options.extra_body)} if options.extra_body else {}),
        }

    def failure(self, error: Exception) -> Failure | None:
        import httpx2
        import openai

        if isinstance(error, openai.APIStatusError):
            return of_response(error.response)
        if isinstance(error, openai.APIConnectionError | httpx2.HTTPError):
            return of_connection(error, isinstance(error, openai.APITimeoutError | httpx2.TimeoutException))
        return None

    def number(self, answer: Mapping[str, Any]) -> str:
        # Some local servers draw their numbers from a thousand.
        return f"{answer['id']} {answer.get('created')}" if answer.get("id") else ""

    def read(self, answer: Mapping[str, Any]) -> Reply:
        choices = answer.get("choices") or []
        failed = answer.get("error") or (choices[0].get("error") if choices else None)
        if failed:  # the provider behind a reseller failed after the reseller had said 200
            status = failed.get("code") if isinstance(failed, Mapping) else None
            status = status if isinstance(status, int) and 400 <= status < 600 else 502
            raise self.error(described(status, {}, {"error": failed}))
        if "choices" not in answer:
            raise RetryableError(f"the answer has no choices: {sorted(answer)}", "malformed answer")
        return reply_of(answer, self.captioner.max_output_tokens)


def reply_of(answer: Mapping[str, Any], limit: int) -> Reply:
    """The reply that a chat completion holds. Raises CaptionError for all that is no caption.

    >>> message = {"role": "assistant", "content": "a dog"}
    >>> reply_of({"choices": [{"message": message, "finish_reason": "stop"}]}, limit=30).text
    'a dog'
    """
    choice = (answer["choices"] or [{}])[0]
    message = choice.get("message") or {}
    usage = answer.get("usage") or {}
    finish = str(choice.get("finish_reason") or "")
    refusal = str(message.get("refusal") or "")
    reply = Reply(
        text=_text(message.get("content")) or refusal,
        model_version=str(answer.get("model") or ""),
        input_tokens=usage.get("prompt_tokens"),
        output_tokens=usage.get("completion_tokens"),
        reasoning_tokens=(usage.get("completion_tokens_details") or {}).get("reasoning_tokens"),
        finish_reason=finish,
        cached_input_tokens=(usage.get("prompt_tokens_details") or {}).get("cached_tokens"),
    )
    if refusal:
        raise CaptionError(Outcome.REFUSED, f"refused: {refusal}", reply)
    if finish == "content_filter":
        raise CaptionError(Outcome.BLOCKED, f"blocked: {finish}{_categories(choice)}", reply)
    if finish not in (*ENDED, *CUT_OFF):
        raise CaptionError(Outcome.ERROR, f"the answer ended for a reason of its own: {finish}", reply)
    if not reply.text:
        raise without_text(reply, limit, finish in CUT_OFF)
    if finish in CUT_OFF:
        raise CaptionError(Outcome.TRUNCATED, f"cut off after {limit} tokens ({finish})", reply)
    return reply


def _text(content: Any) -> str:
    """Some servers answer with a list of parts, as requests have it."""
    if isinstance(content, list):
        return "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping)).strip()
    return str(content or "").strip()


def _categories(choice: Mapping[str, Any]) -> str:
    """What Azure's filter names beside the finish reason."""
    results = choice.get("content_filter_results") or {}
    named = [name for name, found in results.items() if isinstance(found, Mapping) and found.get("filtered")]
    return f" ({', '.join(named)})" if named else ""
