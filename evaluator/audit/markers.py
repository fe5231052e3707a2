"""What stands around a caption and is none of it: reasoning, chat markers, turns of a chat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from evaluator.audit.texts import EXAMPLES, LONGEST_EXAMPLE, Texts
from evaluator.core import Caption, Finding
from evaluator.core.chat import MARKER, behind_reasoning, has_reasoning

# "USER: Describe the picture. ASSISTANT: a cat" and "Question: what is it? Answer: a cat".
_TURN = re.compile(
    r"\s*(?:(?:\#{2,3}\s*)?(?:user|human|question|q|instruction|prompt|input)\s*:.*?)?"
    r"(?:\#{2,3}\s*)?(?<!\w)(?:assistant|answer|a|gpt|bot|response|output)\s*:\s*",
    re.IGNORECASE | re.DOTALL,
)


def reasoning(texts: Texts) -> Finding | None:
    """Captions that begin with a model's reasoning."""
    return texts.where("reasoning", has_reasoning)


def removed_reasoning(captions: Iterable[Caption]) -> Finding | None:
    """Answers whose reasoning was taken off when they were recorded."""
    with_text = [caption for caption in captions if caption.text is not None]
    of = [caption for caption in with_text if caption.reply and has_reasoning(caption.reply.whole_text)]
    if not of:
        return None
    whole = of[0].reply.whole_text if of[0].reply else ""
    shown = " ".join(whole[:LONGEST_EXAMPLE].split())
    return Finding(
        "removed_reasoning",
        len(of),
        len(with_text),
        shown,
        tuple(caption.item_id for caption in of[:EXAMPLES]),
    )


def chat_markers(texts: Texts) -> Finding | None:
    """Captions with a marker of a chat or a tokenizer, such as <|im_end|> or </s>."""
    found: list[int] = []
    markers: Counter[str] = Counter()
    for index, text in enumerate(texts.captions):
        if ("<" in text or "[" in text) and (marks := set(MARKER.findall(behind_reasoning(text)))):
            found.append(index)
            markers.update(sorted(marks))
    return texts.finding("chat_marker", found, " ".join(mark for mark, _ in markers.most_common(5)))


def chat_turns(texts: Texts) -> Finding | None:
    """Captions that repeat the turns of a chat. Where all repeat the same, it is a shared beginning."""
    echoes = [turn(text) for text in texts.without_markers]
    found = [index for index, echo in enumerate(echoes) if echo]
    most = Counter(filter(None, (" ".join(echo.split()).lower() for echo in echoes))).most_common(1)
    if most and most[0][1] > len(found) / 2:
        return None
    return texts.finding("chat_turns", found, echoes[found[0]][:LONGEST_EXAMPLE] if found else "")


def turn(text: str) -> str:
    """The question and the label of the answer before a caption; empty for none.

    >>> turn("Question: what is it? Answer: a cat"), turn("a cat")
    ('Question: what is it? Answer: ', '')
    """
    if ":" not in text:
        return ""
    found = _TURN.match(text)
    return found[0] if found else ""
