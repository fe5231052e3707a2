r"""What chat models write around their answer: reasoning before it, markers of the chat's turns at its ends.

    >>> answer_in("<think>A cat, I see.</think>\n\na cat on a sofa<|im_end|>")
    Answer(text='a cat on a sofa', has_reasoning=True, is_unfinished=False)
    >>> answer_in("<think>The picture shows").is_unfinished
    True

Servers without a parser for reasoning pass it on as text. Some chat templates contain the opening tag, and
then the answer holds only the closing one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from evaluator.core.values import Caption, Outcome

# How reasoning begins and how it ends: DeepSeek, Qwen and GLM write <think>, Claude's prompts <thinking>,
# Mistral [THINK], Kimi-VL ◁think▷, Cohere <|START_THINKING|>, Gemma <|channel>thought or <unused94>thought.
_TAGS = r"think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad|seed:think"
_OPENING = re.compile(
    rf"""\s*(?:
        <(?P<tag>{_TAGS})> | \[(?P<square>THINK)\] | ◁(?P<triangle>think)▷
      | <\|(?P<begin>begin_of_thought|START_THINKING)\|>
      | (?:<\|start\|>\s*assistant\s*)? <\|(?P<channel>channel)\|?>\s*(?:analysis|thought|commentary)
      | <unused94>(?P<unused>thought)
      | (?P<bare>analysis)(?=[A-Z])
    )""",
    re.VERBOSE | re.IGNORECASE,
)
_FINAL_CHANNEL = re.compile(r"<\|channel\|?>\s*final\s*(?:<\|message\|?>)?|<channel\|>")
# A closing tag without an opening one.
_CLOSING = re.compile(rf"</(?:{_TAGS})>|\[/THINK\]|◁/think▷", re.IGNORECASE)

# Markers of a chat's turns and special tokens of tokenizers; what follows the end of a turn is another.
_END_OF_TURN = (
    r"<\|(?:im_end|eot_id|eom_id|end|endoftext|end_of_text|return|call|eos)\|>"
    r"|<\|(?:END_RESPONSE|END_OF_TURN_TOKEN)\|>"
    r"|</s>|<eos>|<end_of_turn>|<end_of_utterance>|<｜end▁of▁sentence｜>|\[EOS\]|\[SEP\]"
)
_OTHER_MARKER = (
    r"<\|[A-Za-z_][\w -]{0,40}\|?>|<[A-Za-z_]{1,20}\|>|<s>|<pad>|<unk>|<bos>|<mask>|<image>"
    r"|<start_of_turn>(?:model)?|</?answer>|<unused\d{1,3}>|<0x[0-9A-F]{2}>|<｜[^<>｜\s]{1,40}｜>|\[/?INST\]|<</?SYS>>"
    r"|\[(?:PAD|CLS|UNK|BOS|MASK)\]"
)
MARKER = re.compile(f"{_END_OF_TURN}|{_OTHER_MARKER}")
_ENDING = re.compile(_END_OF_TURN)
_LEADING = re.compile(
    rf"\s*(?:{MARKER.pattern})\s*(?:(?<=<\|im_start\|>)assistant\s+|(?<=<\|start_header_id\|>)assistant)?"
)


@dataclass(frozen=True)
class Answer:
    """An answer without what stood around it."""

    text: str
    has_reasoning: bool = False
    is_unfinished: bool = False  # nothing but reasoning that was cut off


def answer_in(text: str) -> Answer:
    """The answer behind the reasoning and between the markers; `text` itself where there is neither."""
    rest, has_reasoning, is_finished = _behind_reasoning(text)
    if not is_finished:
        return Answer("", has_reasoning=True, is_unfinished=True)
    without = without_end_markers(rest)
    return Answer(without.strip() if has_reasoning else without, has_reasoning)


def behind_reasoning(text: str) -> str:
    """The text behind leading reasoning, empty where that is cut off; the text itself without any."""
    rest, has_reasoning, _ = _behind_reasoning(text)
    return rest.strip() if has_reasoning else text


def opened_reasoning(request: str) -> str:
    """The tag of reasoning that a chat template opens at the end of a request; empty where it opens none.

    >>> opened_reasoning("Describe it. assistant: <think>")
    '<think>'
    """
    request = request.rstrip()
    ends = (found[0].strip() for found in _OPENING.finditer(request) if found.end() == len(request))
    return next(ends, "")


def ends_turn(token: str) -> bool:
    """Whether a token is the marker that ends a turn.

    >>> ends_turn("<|im_end|>"), ends_turn("<|im_start|>")
    (True, False)
    """
    return _ENDING.fullmatch(token) is not None


def has_reasoning(text: str) -> bool:
    return _behind_reasoning(text)[1]


def _behind_reasoning(text: str) -> tuple[str, bool, bool]:
    """What follows the leading reasoning, whether there is any, and whether it has an end."""
    if not ("<" in text or "[" in text or "◁" in text or text.startswith("analysis")):
        return text, False, True
    start, has_any = 0, False
    while opening := _OPENING.match(text, start):
        end = _end_of_reasoning(text, opening)
        if end is None:
            return text, has_any, True
        if end < 0:
            return "", True, False
        start, has_any = end, True
    if not has_any and (closing := _CLOSING.search(text)):
        start, has_any = closing.end(), True
    return text[start:], has_any, True


def _end_of_reasoning(text: str, opening: re.Match[str]) -> int | None:
    """Where the block ends, -1 where it does not end, None where the opening is none after all."""
    kind, start = opening.lastgroup or "", opening.end()
    if kind == "bare":  # a server that drops special tokens leaves the names of the channels
        end = text.find("assistantfinal", start)
        return None if end < 0 else end + len("assistantfinal")
    if kind == "channel":
        final = _FINAL_CHANNEL.search(text, start)
        return final.end() if final else -1
    tag = opening[kind]
    closing = {
        "tag": f"</{tag}>",
        "square": "[/THINK]",
        "triangle": "◁/think▷",
        "begin": {"begin_of_thought": "<|end_of_thought|>"}.get(tag, "<|END_THINKING|>"),
        "unused": "<unused95>",
    }[kind]
    end = text.find(closing, start)
    return end + len(closing) if end >= 0 else -1


def without_end_markers(text: str) -> str:
    """Without the markers at both ends, and without what follows the end of the first turn."""
    if not ("<" in text or "[" in text):
        return text
    start = 0
    while leading := _LEADING.match(text, start):
        start = leading.end()
    if ending := _ENDING.search(text, start):
        text = text[: ending.start()]
    end = len(text)
    for marker in reversed(list(MARKER.finditer(text, start))):
        if text[marker.end() : end].strip():
            break
        end = marker.start()
    return text[start:end].strip() if start or ending or end < len(text) else text


def without_markers(text: str) -> str:
    """Without reasoning and without any marker, wherever it stands."""
    if not ("<" in text or "[" in text or "◁" in text or text.startswith("analysis")):
        return text
    answer = without_end_markers(behind_reasoning(text))
    return MARKER.sub(" ", answer).strip() if MARKER.search(answer) else answer


def only_the_answer(caption: Caption) -> Caption:
    """The caption without reasoning and markers; the whole text is kept with the reply.

    An answer that is nothing but unfinished reasoning is truncated, and one that ends behind the reasoning is
    empty. The markers of a captions file stay: its captions are scored as they are written.
    """
    if caption.outcome is not Outcome.OK or caption.reply is None:
        return caption
    whole, is_file = caption.reply.text, caption.source == "file"
    answer = answer_in(whole)
    if not (answer.has_reasoning or (answer.text != whole and not is_file)):
        return caption
    text = behind_reasoning(whole) if is_file else answer.text
    reply = replace(caption.reply, text=text, whole_text=whole)
    if answer.is_unfinished:
        error = "the answer is nothing but reasoning that was cut off: let the model answer with more tokens"
        return replace(caption, outcome=Outcome.TRUNCATED, reply=reply, error=error)
    if not text and not is_file:
        return replace(caption, outcome=Outcome.EMPTY, reply=reply, error="nothing follows the reasoning")
    return replace(caption, reply=reply)
