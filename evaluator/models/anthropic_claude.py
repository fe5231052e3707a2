"""Claude by Anthropic's Messages API (platform.claude.com/docs/en/api/messages).

The picture is a base64 block before the text. Pictures above the longest side are made smaller here, since
the provider would do the same after a longer upload. Newer models accept no temperature and reason by
default: `effort` says how much, and the reasoning counts against `max_output_tokens`.

    evaluator run model=claude-sonnet prompt=one-sentence data=coco ...
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from evaluator.core import RUNTIME_ONLY, Item, Outcome, Prompt, Reply
from evaluator.core.batch_jobs import BatchLimits
from evaluator.core.errors import CaptionError
from evaluator.models.answers import WrongType, billed, joined, mappings, number, part, text
from evaluator.models.anthropic_batches import LIMITS, AnthropicBatches
from evaluator.models.asked import Asked
from evaluator.models.cloud import THINKING_ROOM_TOKENS, CloudCaptioner
from evaluator.models.generated_sdk import GeneratedSDK
from evaluator.models.wire import text_of

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic


class ClaudeSession(GeneratedSDK["AsyncAnthropic"]):
    captioner: AnthropicClaude
    client_name: ClassVar[str] = "AsyncAnthropic"
    own_domain: ClassVar[str] = "anthropic.com"
    cut_off: ClassVar[tuple[str, ...]] = ("max_tokens", "model_context_window_exceeded")

    @cached_property
    def batch_provider(self) -> AnthropicBatches:
        return AnthropicBatches(self, self.parameters)

    def parameters(self, asked: Asked) -> dict[str, Any]:
        """The request as it is sent: the SDK adds the `extra_body` to the other parts."""
        body = self.body(asked)
        more: dict[str, Any] = body.pop("extra_body", {})
        return body | more

    async def request(self, client: AsyncAnthropic, asked: Asked) -> str:
        answer = await client.messages.with_raw_response.create(**self.body(asked))
        return text_of(answer.http_response.content)

    def body(self, asked: Asked) -> dict[str, Any]:
        """The request. Only what is set is sent, since models refuse options that they do not know."""
        options = self.captioner
        content: list[dict[str, Any]] = []
        if picture := asked.picture:
            source = {"type": "base64", "media_type": picture.media_type, "data": picture.base64}
            content.append({"type": "image", "source": source})
        if asked.text:  # the provider refuses an empty block
            content.append({"type": "text", "text": asked.text})
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
        # The SDK has no option for the temperature any more, which models up to Claude 4.6 accept.
        temperature = {} if options.temperature is None else {"temperature": options.temperature}
        if more := temperature | dict(options.extra_body):
            body["extra_body"] = more
        return body

    def billed(self, answer: Mapping[str, Any]) -> Reply:
        usage = part(answer, "usage")
        cached, fresh = number(usage.get("cache_read_input_tokens")), number(usage.get("input_tokens"))
        read_or_written = (cached or 0) + (number(usage.get("cache_creation_input_tokens")) or 0)
        return billed(
            model_version=answer.get("model"),
            input_tokens=None if fresh is None else fresh + read_or_written,
            output_tokens=number(usage.get("output_tokens")),
            reasoning_tokens=number(part(usage, "output_tokens_details").get("thinking_tokens")),
            cached_input_tokens=cached,
        )

    def read(self, answer: Mapping[str, Any]) -> Reply:
        if answer.get("content") is None:
            raise WrongType(f"it has no content: {sorted(answer)}")
        texts = (block.get("text") for block in mappings(answer["content"]) if block.get("type") == "text")
        stop = text(answer.get("stop_reason"))
        reply = replace(self.billed(answer), text=joined(texts), finish_reason=stop)
        if stop == "refusal":
            details = part(answer, "stop_details")
            named = text(details.get("category")) or "no category named"
            message = f"refused: {named} {text(details.get('explanation'))}".strip()
            raise CaptionError(Outcome.REFUSED, message, reply)
        if stop not in ("end_turn", "stop_sequence", *self.cut_off):
            raise CaptionError(Outcome.ERROR, f"unknown finish reason: {stop or 'none'}", reply)
        return reply


@dataclass(frozen=True, kw_only=True)
class AnthropicClaude(CloudCaptioner):
    """`thinking` is sent as its type alone; further options of a model go into `extra_body`."""

    kind: ClassVar[str] = "anthropic"

    base_url: str = "https://api.anthropic.com"
    key_variable: str | None = field(default="ANTHROPIC_API_KEY", metadata=RUNTIME_ONLY)
    key_page: str = field(default="https://platform.claude.com/settings/keys", metadata=RUNTIME_ONLY)
    thinking: Literal["disabled", "adaptive", "between_tools"] | None = None
    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    package: ClassVar[str] = "anthropic"
    extra: ClassVar[str] = "anthropic"
    media_types: ClassVar[tuple[str, ...]] = ("image/jpeg", "image/png", "image/webp", "image/gif")
    max_bytes: ClassVar[int] = 3_750_000  # 5 MB as base64
    batch_limits: ClassVar[BatchLimits] = LIMITS
    session = ClaudeSession

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """Reasoning needs room in the output limit."""
        warnings = super().check(prompt, items)
        if self.thinking == "disabled" or self.max_output_tokens >= THINKING_ROOM_TOKENS:
            return warnings
        return (
            *warnings,
            f"model.max_output_tokens={self.max_output_tokens}: most Claude models reason before they "
            "answer, and the reasoning counts against this limit, so captions may be empty. "
            "Type model.max_output_tokens=2048",
        )
