"""GIT: one decoder over image and text tokens (Wang et al. 2022, arXiv 2205.14100).

The prompt is the beginning of the caption: [CLS] and its tokens, without the closing [SEP] that the
tokenizer would append and that GIT reads as the end of the caption.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from evaluator.models.local import LocalCaptioner


@dataclass(frozen=True)
class GIT(LocalCaptioner):
    """`microsoft/git-*` and checkpoints saved from it."""

    kind: ClassVar[str] = "git"
    model_types: ClassVar[tuple[str, ...]] = ("git",)

    def prompt_ids(self, config: Any, tokenizer: Any, text: str) -> list[int]:
        return [tokenizer.cls_token_id, *tokenizer(text, add_special_tokens=False)["input_ids"]]

    def echo_length(self, config: Any, prompt_ids: Sequence[int]) -> int:
        return len(prompt_ids)
