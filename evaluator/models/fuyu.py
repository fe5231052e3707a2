"""Fuyu: a decoder that reads patches of the picture as they are (Bavishi et al. 2023, adept.ai/blog/fuyu-8b).

Its processor puts the picture before the text and the token that begins the answer behind it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evaluator.models.plain_prompt import PlainPrompt


@dataclass(frozen=True)
class Fuyu(PlainPrompt):
    """`adept/fuyu-8b`. In transformers 5.23 its pictures cannot be prepared without torchvision."""

    kind: ClassVar[str] = "fuyu"
    model_types: ClassVar[tuple[str, ...]] = ("fuyu",)
    needs_torchvision: ClassVar[bool] = True
