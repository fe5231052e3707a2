"""Any chat model that sees: LLaVA, Qwen-VL, InternVL, SmolVLM, Idefics, Gemma and all that come after them.

The checkpoint's chat template writes the request: a system text, examples as earlier turns (a picture, the
question, its caption), then the picture and the question. Reasoning is no part of a caption.

    evaluator run model=chat model.checkpoint=HuggingFaceTB/SmolVLM-Instruct prompt=one-sentence
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from evaluator.core import Prompt, Question, Reply
from evaluator.core.chat import answer_in, opened_reasoning
from evaluator.core.errors import ConfigError
from evaluator.models.checkpoints import CheckpointLoader, first_line
from evaluator.models.processor_captioner import ProcessorCaptioner


@dataclass(frozen=True)
class Chat(ProcessorCaptioner):
    """`template_options` are options of the chat template, such as {enable_thinking: false}."""

    kind: ClassVar[str] = "chat"
    model_types: ClassVar[tuple[str, ...]] = ()
    answers_questions: ClassVar[bool] = True

    template_options: Mapping[str, Any] = field(default_factory=dict)

    def loader(self) -> CheckpointLoader:
        served = "serve it, for example with vLLM, and type model=vllm"
        return replace(super().loader(), model_types=None, otherwise=served)

    def text(self, processor: Any, prompt: Prompt) -> str:
        return self.templated(processor, conversation(prompt))

    def question_text(self, processor: Any, system: str, question: Question) -> str:
        before = [turn("system", system)] if system else []
        asked = turn("user", question.text, with_picture=question.image is not None)
        return self.templated(processor, [*before, asked])

    def templated(self, processor: Any, turns: Sequence[Mapping[str, Any]]) -> str:
        """The turns as the checkpoint's template writes them. Raises ConfigError where it cannot."""
        template = template_of(processor)
        if not template:
            raise ConfigError(
                f"model.checkpoint: {self.checkpoint!r} has no chat template, so it is no chat model. Type "
                "model=plain for a model that reads one plain text, or choose its -Instruct checkpoint"
            )
        for option in self.template_options:
            if not re.search(rf"\b{re.escape(option)}\b", template):
                raise ConfigError(
                    f"model.template_options: the chat template of {self.checkpoint!r} reads no {option!r}"
                )

        def written(turns: Sequence[Mapping[str, Any]]) -> str:
            text: str = processor.apply_chat_template(
                turns,
                chat_template=template,
                add_generation_prompt=True,
                tokenize=False,
                **self.template_options,
            )
            if is_listed(text):
                raise ValueError("it is made for texts alone, and writes the parts of a message as a list")
            return text

        try:
            return written(turns)
        except Exception as error:  # a template raises its own, as for a system text that it does not know
            with suppress(Exception):  # some want plain text where a message has no picture
                return written([plain_turn(each) for each in turns])
            raise ConfigError(
                f"prompt: the chat template of {self.checkpoint!r} refuses it: {first_line(error)}"
            ) from error

    def doubts(self, prompt: Prompt, text: str) -> Sequence[str]:
        dropped = bool(prompt.system) and squeezed(prompt.system) not in squeezed(text)
        warning = f"the chat template of {self.checkpoint!r} leaves the system text out"
        return (*super().doubts(prompt, text), *((warning,) if dropped else ()))

    def answer(self, processor: Any, ids: Sequence[int], text: str) -> Reply:
        """Tags of reasoning may be special tokens: they stay in the text, for whoever separates it."""
        whole = opened_reasoning(text) + processor.tokenizer.decode(ids, skip_special_tokens=False)
        if answer_in(whole).has_reasoning:
            return Reply(whole)
        return super().answer(processor, ids, text)


def template_of(processor: Any) -> str:
    """The chat template of a processor, else that of its tokenizer; the default one of several."""
    for source in (processor, processor.tokenizer):
        template = getattr(source, "chat_template", None)
        if isinstance(template, Mapping):
            template = template.get("default")
        if template:
            return str(template)
    return ""


def is_listed(text: str) -> bool:
    """Whether a template has written the parts of a message as Python shows them."""
    return "{'type': '" in text


def squeezed(text: str) -> str:
    return " ".join(text.split())


def conversation(prompt: Prompt) -> list[dict[str, Any]]:
    """The turns of a request about one picture.

    >>> [turn["role"] for turn in conversation(Prompt("p", "Describe it.", system="Be brief."))]
    ['system', 'user']
    """
    turns = [turn("system", prompt.system)] if prompt.system else []
    for shot in prompt.pictured:
        turns += [turn("user", prompt.request, with_picture=True), turn("assistant", shot.caption)]
    return [*turns, turn("user", prompt.request, with_picture=True)]


def turn(role: str, text: str, with_picture: bool = False) -> dict[str, Any]:
    """One message; the picture comes before the text, as the models' own examples have it."""
    content = [{"type": "image"}] if with_picture else []
    return {"role": role, "content": [*content, *([{"type": "text", "text": text}] if text else [])]}


def plain_turn(turn: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same turn with its text as it is, where it holds nothing else."""
    match turn["content"]:
        case [{"type": "text", "text": text}]:
            return {**turn, "content": text}
    return turn
