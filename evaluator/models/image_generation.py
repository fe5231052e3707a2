"""Image generators behind an image API: OpenAI's, and servers that speak the same.

The reference is developers.openai.com/api/reference, "Create image". A generator is asked with a text and
answers with a picture, so that it is no captioner: scorers/regeneration.py asks it. All else is as for a chat
model: the key, the client, failures, cache, limits, budget and resume.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from annotated_types import Ge

from evaluator.core import RUNTIME_ONLY, Prompt, Reply, Usage
from evaluator.core.errors import ImageError
from evaluator.files.images import as_jpeg, decode_picture
from evaluator.models.answers import WrongType, billed, mappings, number, part, text
from evaluator.models.asked import Asked
from evaluator.models.cloud import CloudCaptioner
from evaluator.models.generated_sdk import GeneratedSDK
from evaluator.models.wire import text_of

if TYPE_CHECKING:
    from openai import AsyncOpenAI

MOST_BYTES = 40_000_000  # of an answer: a large picture as PNG in base64


class ImageGenerationSession(GeneratedSDK["AsyncOpenAI"]):
    captioner: ImageGeneration
    client_name: ClassVar[str] = "AsyncOpenAI"
    own_domain: ClassVar[str] = "openai.com"
    no_key: ClassVar[str] = "none"  # the SDK requires one, local servers ignore it
    cut_off: ClassVar[tuple[str, ...]] = ()
    most_bytes: int = MOST_BYTES

    async def request(self, client: AsyncOpenAI, asked: Asked) -> str:
        import httpx2

        response = await client.post(
            "/images/generations",
            cast_to=httpx2.Response,
            content=json.dumps(self.body(asked.text)).encode(),
            options={"security": {"bearer_auth": True}},
        )
        return text_of(response.content)

    def body(self, prompt: str) -> dict[str, Any]:
        """The request for one picture."""
        options = self.captioner
        size = {"size": options.size} if options.size else {}
        return {**size, **options.extra_body, "model": options.model, "prompt": prompt, "n": 1}

    def billed(self, answer: Mapping[str, Any]) -> Reply:
        usage = part(answer, "usage")
        return billed(
            model_version=answer.get("model") or self.captioner.model,
            input_tokens=number(usage.get("input_tokens")),
            output_tokens=number(usage.get("output_tokens")),
            reasoning_tokens=None,
            cached_input_tokens=None,
        )

    def read(self, answer: Mapping[str, Any]) -> Reply:
        """The picture as a smaller JPEG; the text is the prompt as the generator rewrote it, or the size."""
        made = mappings(answer.get("data"))
        encoded = text(made[0].get("b64_json")) if made else ""
        if not encoded:
            raise WrongType("it holds no picture in base64 (data[0].b64_json)")
        try:
            picture = decode_picture(base64.b64decode(encoded), "the generated picture")
        except ImageError as error:
            raise WrongType(str(error)) from error
        side = self.captioner.longest_side
        jpeg = as_jpeg(picture, (side, side), self.captioner.jpeg_quality)
        told = text(made[0].get("revised_prompt")) or f"a picture, {picture.width} x {picture.height}"
        return replace(self.billed(answer), text=told, picture=base64.b64encode(jpeg).decode())


@dataclass(frozen=True, kw_only=True)
class ImageGeneration(CloudCaptioner):
    """`max_output_tokens` are those of one picture, 0 where the provider counts none.

    The picture is kept as a JPEG with sides of at most `longest_side`: a CLIP sees no more.
    """

    kind: ClassVar[str] = "image-generation"

    size: str = ""
    max_output_tokens: Annotated[int, Ge(0)] = field(default=0, metadata=RUNTIME_ONLY)
    longest_side: Annotated[int, Ge(64)] = 256
    extra_body: Mapping[str, Any] = field(default_factory=dict)

    package: ClassVar[str] = "openai"
    extra: ClassVar[str] = "openai"
    max_bytes: ClassVar[int] = 0  # no picture is sent
    answers_questions: ClassVar[bool] = False
    session = ImageGenerationSession

    def usage(self, prompt: Prompt) -> Usage:
        """The tokens of the text, and those of the picture."""
        tokens = (self.max_output_tokens, self.max_output_tokens)
        return replace(super().usage(prompt), output_tokens=tokens, pictures=1)
