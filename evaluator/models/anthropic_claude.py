"""Claude by Anthropic's Messages API (platform.claude.com/docs/en/api/messages).

The picture is a base64 block before the text. Pictures above the longest side are made smaller here, since
the provider would do the same after a longer upload. Newer models take no temperature and think by
themselves: `effort` says how much, and what they think counts against `max_output_tokens`.

    evaluator run model=claude-sonnet prompt=one-sentence data=coco ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from evaluator.core import NOT_IDENTITY, Item, Outcome, Prompt, Reply
from evaluator.core.errors import CaptionError, RetryableError
from evaluator.models.cloud import (
    MOST_CONNECTIONS,
    THINKING_ROOM_TOKENS,
    CloudCaptioner,
    CloudSession,
    request_text,
    without_text,
)
from evaluator.models.encoded_pictures import EncodedPicture
from evaluator.models.failures import Failure, of_connection, of_response

CUT_OFF = ("max_tokens", "model_context_window_exceeded")


@dataclass(frozen=True, kw_only=True)
class AnthropicClaude(CloudCaptioner):
    """`thinking` is sent as its type alone; what else a model takes goes into `extra_body`."""

    kind: ClassVar[str] = "anthropic"

    base_url: str = "https://api.anthropic.com"
    key_variable: str | None = field(default="ANTHROPIC_API_KEY", metadata=NOT_IDENTITY)
    key_page: str = field(default="https://platform.claude.com/settings/keys", metadata=NOT_IDENTITY)
    thinking: Literal["disabled", "adaptive", "between_tools"] | None = None
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    package: ClassVar[str] = "anthropic"
    extra: ClassVar[str] = "anthropic"
    media_types: ClassVar[tuple[str, ...]] = ("image/jpeg", "image/png", "image/webp", "image/gif")
    max_bytes: ClassVar[int] = 3_750_000  # 5 MB as base64

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """Thinking needs room in the output limit."""
        warnings = super().check(prompt, items)
        if self.thinking == "disabled" or self.max_output_tokens >= THINKING_ROOM_TOKENS:
            return warnings
        return (
            *warnings,
            f"model.max_output_tokens={self.max_output_tokens}: most Claude models think before they answer, "
            "and what they think counts against it: captions may come back empty. "
            "Type model.max_output_tokens=2048",
        )

    def session(self, prompt: Prompt, key: str) -> ClaudeSession:
        return ClaudeSession(self, prompt, key)


class ClaudeSession(CloudSession):
    captioner: AnthropicClaude

    def connect(self) -> Any:
        import anthropic
        import httpx2

        limits = httpx2.Limits(max_connections=MOST_CONNECTIONS, max_keepalive_connections=MOST_CONNECTIONS)
        return anthropic.AsyncAnthropic(
            api_key=self.secret,
            base_url=self.captioner.base_url,
            timeout=self.captioner.timeout_seconds,
            max_retries=0,
            http_client=anthropic.DefaultAsyncHttpxClient(limits=limits),
        )

    async def disconnect(self, client: Any) -> None:
        await client.close()

    async def request(self, client: Any, picture: EncodedPicture) -> str:
        answer = await client.messages.with_raw_response.create(**self.body(picture))
        return str(answer.http_response.text)

    def body(self, picture: EncodedPicture) -> dict[str, Any]:
        """The request: only what is set is sent, since models refuse what they do not take."""
        options = self.captioner
        source = {"type": "base64", "media_type": picture.media_type, "data": picture.base64}
        content: list[dict[str, Any]] = [{"type": "image", "source": source}]
        if text := request_text(self.prompt):  # an empty block is refused
            content.append({"type": "text", "text": text})
        body: dict[str, Any] = {
            "model": options.model,
            "max_tokens": options.max_output_tokens,
            "messages": [{"role": "user", "content": content}],
        }
        if self.prompt.system:
            body["system"] = self.prompt.system
        if options.thinking:
            body["thinking"] = {"type": options.thinking}
        if options.effort:
            body["output_config"] = {"effort": options.effort}
        # The SDK has no place for a temperature any more; models up to Claude 4.6 take one.
        temperature = {} if options.temperature is None else {"temperature": options.temperature}
        if more := temperature | dict(options.extra_body):
            body["extra_body"] = more
        return body

    def failure(self, error: Exception) -> Failure | None:
        import anthropic
        import httpx2

        if isinstance(error, anthropic.APIStatusError):
            return of_response(error.response)
        if isinstance(error, anthropic.APIConnectionError | httpx2.HTTPError):
            return of_connection(
                error, isinstance(error, anthropic.APITimeoutError | httpx2.TimeoutException)
            )
        return None

    def number(self, answer: Mapping[str, Any]) -> str:
        return str(answer.get("id") or "")

    def read(self, answer: Mapping[str, Any]) -> Reply:
        if not isinstance(answer.get("content"), list):
            raise RetryableError(f"the answer has no content: {sorted(answer)}", "malformed answer")
        return reply_of(answer, self.captioner.max_output_tokens)


def reply_of(answer: Mapping[str, Any], limit: int) -> Reply:
    """The reply that a message holds. Raises CaptionError for all that is no caption.

    >>> reply_of({"content": [{"type": "text", "text": "a dog"}], "stop_reason": "end_turn"}, limit=30).text
    'a dog'
    """
    usage = answer.get("usage") or {}
    cached = usage.get("cache_read_input_tokens")
    written = usage.get("cache_creation_input_tokens")
    fresh = usage.get("input_tokens")
    stop = str(answer.get("stop_reason") or "")
    said = [block for block in answer["content"] if block.get("type") == "text"]
    reply = Reply(
        text="".join(str(block.get("text") or "") for block in said).strip(),
        model_version=str(answer.get("model") or ""),
        input_tokens=None if fresh is None else fresh + (cached or 0) + (written or 0),
        output_tokens=usage.get("output_tokens"),
        reasoning_tokens=(usage.get("output_tokens_details") or {}).get("thinking_tokens"),
        finish_reason=stop,
        cached_input_tokens=cached,
    )
    if stop == "refusal":
        details = answer.get("stop_details") or {}
        named = details.get("category") or "no category named"
        raise CaptionError(
            Outcome.REFUSED, f"refused: {named} {details.get('explanation') or ''}".strip(), reply
        )
    if stop not in ("end_turn", "stop_sequence", *CUT_OFF):
        raise CaptionError(
            Outcome.ERROR, f"the answer ended for a reason of its own: {stop or 'none'}", reply
        )
    if not reply.text:
        raise without_text(reply, limit, stop in CUT_OFF)
    if stop in CUT_OFF:
        raise CaptionError(Outcome.TRUNCATED, f"cut off after {reply.output_tokens} tokens ({stop})", reply)
    return reply
