"""The caption that a reply or an error becomes."""

from __future__ import annotations

from typing import Any

from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.core.errors import CaptionError, EvaluatorError


def caption_from(item: Item, result: Reply | EvaluatorError, **details: Any) -> Caption:
    """OK for a reply, the outcome of a CaptionError, else ERROR; `details` are more fields of Caption."""
    if isinstance(result, Reply):
        return Caption(item.id, Outcome.OK, result, **details)
    if isinstance(result, CaptionError):
        return Caption(item.id, result.outcome, result.reply, str(result), **details)
    return Caption(item.id, Outcome.ERROR, error=str(result), **details)
