"""An image encoder and a text decoder put together by transformers, such as ViT-GPT2.

The decoder reads its start token, then the prompt as the beginning of the caption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from evaluator.models.checkpoints import CheckpointLoader, image_processor_and_tokenizer
from evaluator.models.local import LocalCaptioner

# transformers builds it, and no captioner reads it.
POOLER = frozenset({"encoder.pooler.dense.weight", "encoder.pooler.dense.bias"})


@dataclass(frozen=True)
class VisionEncoderDecoder(LocalCaptioner):
    """`nlpconnect/vit-gpt2-image-captioning` and others of the kind."""

    kind: ClassVar[str] = "vision-encoder-decoder"
    model_types: ClassVar[tuple[str, ...]] = ("vision-encoder-decoder",)

    def loader(self) -> CheckpointLoader:
        return replace(super().loader(), open_processor=image_processor_and_tokenizer, unused_weights=POOLER)

    def prompt_ids(self, config: Any, tokenizer: Any, text: str) -> list[int]:
        start = config.decoder_start_token_id
        if start is None:
            start = config.decoder.decoder_start_token_id or config.decoder.bos_token_id
        return [start, *tokenizer(text, add_special_tokens=False)["input_ids"]]

    def echo_length(self, config: Any, prompt_ids: Sequence[int]) -> int:
        return len(prompt_ids)
