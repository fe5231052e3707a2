"""What form a prompt has, and whether a model was made for it.

A captioner continues the beginning of a caption ("a photo of"), a chat model follows an instruction. Given
the other's form, most answer with nothing or with nonsense, and no error says so.
"""

from __future__ import annotations

import re
from typing import Any

from evaluator.config.prompts import beginning
from evaluator.core import Captioner, Prompt, PromptForm

QUESTION = re.compile(r"question\s*:.*answer\s*:", re.IGNORECASE | re.DOTALL)
# The last word of a beginning that asks to be continued, and a noun phrase without a verb.
UNFINISHED = re.compile(r"\b(?:of|in|with|shows?|showing|depicts?|depicting|is|are|an?|the)$", re.IGNORECASE)
NOUN_PHRASE = re.compile(r"(?:an?|the|this)(?:\s+[\w-]+){1,3}", re.IGNORECASE)
MEANINGS: dict[PromptForm, str] = {
    "none": "no prompt",
    "prefix": 'the beginning of a caption, such as "a photo of"',
    "question": '"Question: ... Answer:"',
    "instruction": "an instruction",
}


def form_of(prompt: Prompt) -> PromptForm:
    """The form of a prompt's text, by its English words; a text in another language is an instruction.

    >>> form_of(Prompt("", "a photo of")), form_of(Prompt("", "Describe it"))
    ('prefix', 'instruction')
    """
    if prompt.system or prompt.shots:
        return "instruction"
    text = prompt.text.strip()
    if not text:
        return "none"
    if QUESTION.fullmatch(text):
        return "question"
    if UNFINISHED.search(text) or NOUN_PHRASE.fullmatch(text):
        return "prefix"
    return "instruction"


def form_warning(name: str, model: Captioner | Any, prompt: Prompt) -> str | None:
    """What to know where the model was not made for this form of prompt; None where it was, or is not known.

    Without a prompt a chat model warns by itself.
    """
    forms, form = getattr(model, "prompt_forms", ()), form_of(prompt)
    if not forms or form in forms or form == "none":
        return None
    made_for = " or ".join(MEANINGS[each] for each in forms)
    return (
        f'{name}: its prompt is {MEANINGS[form]} ("{beginning(prompt.text)}"), and the model was made for '
        f"{made_for}. Its captions may be empty or nonsense. Type prompt=auto for the prompt of each model"
    )
