"""Texts that stand where a caption should be, as the outcomes that they stand for."""

from __future__ import annotations

from collections.abc import Mapping
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


def as_scored(captions: Mapping[str, Caption], rules: Mapping[str, str]) -> Mapping[str, Caption]:
    """The captions by these rules (Settings.unusual_rules): refusals and failure texts may be failures."""
    if rules.get("refusals") != "missing":
        return captions
    return {item_id: as_failure(caption) for item_id, caption in captions.items()}


def texts_to_score(captions: Mapping[str, Caption], rules: Mapping[str, str]) -> dict[str, str]:
    """The texts by the ids of their images. An image without one is left out, or has an empty one."""
    captions = as_scored(captions, rules)
    texts = {item_id: caption.text for item_id, caption in captions.items() if caption.text is not None}
    is_empty = rules.get("missing") == "empty"
    return {item_id: texts.get(item_id, "") for item_id in captions} if is_empty else texts
