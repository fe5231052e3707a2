"""Texts that stand where a caption should be, as the outcomes that they stand for."""

from __future__ import annotations

from dataclasses import replace

from evaluator.audit.refusals import is_refusal
from evaluator.audit.tool_failures import tool_failure
from evaluator.core import Caption, Outcome


def failure_in(text: str) -> Outcome | None:
    """How the attempt ended that left this text; None for a caption."""
    return tool_failure(text) or (Outcome.REFUSED if is_refusal(text) else None)


def as_failure(caption: Caption) -> Caption:
    """A caption whose text is a refusal or a failure text gets that outcome; its reply is kept."""
    text = caption.text
    if text is None or (outcome := failure_in(text)) is None:
        return caption
    return replace(caption, outcome=outcome, error=f"the text is a failure and no caption: {text}")
