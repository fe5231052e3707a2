"""Kosmos-2: captions whose phrases are tied to places in the picture (Peng et al. 2023, arXiv 2306.14824).

After <grounding>, the model writes each phrase with two patches, its upper left and its lower right one:
`<phrase> a dog</phrase><object><patch_index_0044><patch_index_0863></object>`. The caption is the text
without these tokens. The reply keeps the boxes, and what the model wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from evaluator.core import Reply
from evaluator.models.plain_prompt import PlainPrompt


@dataclass(frozen=True)
class Kosmos2(PlainPrompt):
    """`microsoft/kosmos-2-patch14-224` and checkpoints saved from it."""

    kind: ClassVar[str] = "kosmos2"
    model_types: ClassVar[tuple[str, ...]] = ("kosmos-2",)

    def answer(self, processor: Any, ids: Sequence[int], text: str) -> Reply:
        written = processor.tokenizer.decode(ids, skip_special_tokens=True).strip()
        caption, entities = processor.post_process_generation(written)
        boxes = tuple((phrase, *box) for phrase, _, places in entities for box in places)
        return Reply(caption.strip(), whole_text=written if written != caption else "", boxes=boxes or None)
