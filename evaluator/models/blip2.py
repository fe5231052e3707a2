"""BLIP-2: a Q-Former turns the image into tokens for a language model (Li et al. 2023, arXiv 2301.12597).

OPT continues "<image tokens> <prompt>", so its output begins with both; FLAN-T5 reads them in its
encoder, so its output begins only with the decoder's start token. Question form of the paper:
`prompt=vqa`, "Question: ... Answer:".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from evaluator.models.local import LocalCaptioner, check_image_token


@dataclass(frozen=True)
class BLIP2(LocalCaptioner):
    """`Salesforce/blip2-*` and checkpoints saved from it."""

    kind: ClassVar[str] = "blip2"
    model_types: ClassVar[tuple[str, ...]] = ("blip-2",)

    def prompt_ids(self, config: Any, tokenizer: Any, text: str) -> list[int]:
        check_image_token(self.checkpoint, config)
        return [*[config.image_token_index] * config.num_query_tokens, *tokenizer(text)["input_ids"]]

    def echo_length(self, config: Any, prompt_ids: Sequence[int]) -> int:
        return len(prompt_ids) if config.use_decoder_only_language_model else 1
