"""BLIP: an image encoder and a text decoder that attends to it (Li et al. 2022, arXiv 2201.12086).

`generate` of transformers sets the first id to the decoder's own beginning and drops the last one, so
the prompt goes in with both its [CLS] and its [SEP], and comes back without the [SEP].
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from evaluator.models.local import LocalCaptioner


@dataclass(frozen=True)
class BLIP(LocalCaptioner):
    """`Salesforce/blip-image-captioning-*` and checkpoints saved from it."""

    kind: ClassVar[str] = "blip"
    model_types: ClassVar[tuple[str, ...]] = ("blip",)

    def prompt_ids(self, config: Any, tokenizer: Any, text: str) -> list[int]:
        words = tokenizer(text, add_special_tokens=False)["input_ids"]
        return [config.text_config.bos_token_id, *words, config.text_config.sep_token_id]

    def echo_length(self, config: Any, prompt_ids: Sequence[int]) -> int:
        return len(prompt_ids) - 1
