"""Models that read one plain text besides the picture, without a chat template.

PaliGemma ("caption en"), Fuyu and base models such as Idefics2's. The text stands in `form`, around the
placeholder of the picture that the checkpoint's processor knows, if it needs one.

    evaluator run model=paligemma
    evaluator run model=paligemma --prompt 'caption de'
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from evaluator.core import Prompt
from evaluator.core.errors import ConfigError
from evaluator.models.checkpoints import CheckpointLoader
from evaluator.models.local import refuse
from evaluator.models.processor_captioner import ProcessorCaptioner

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class PlainPrompt(ProcessorCaptioner):
    """`form` holds {prompt}; `shot_form`, for each example with a picture, {prompt} and {caption}."""

    kind: ClassVar[str] = "plain"
    model_types: ClassVar[tuple[str, ...]] = ()

    form: str = "{prompt}"
    shot_form: str = ""

    def loader(self) -> CheckpointLoader:
        return replace(super().loader(), model_types=self.model_types or None)

    def text(self, processor: Any, prompt: Prompt) -> str:
        refuse(prompt, ("system",), f"{self.checkpoint} is no chat model")
        if not self.shot_form:
            refuse(prompt, ("shots",), f"{self.checkpoint} takes no examples (model.shot_form is empty)")
        if "{prompt}" not in self.form:
            raise ConfigError(
                f"model.form: {self.form!r} has no place for the prompt. Write {{prompt}} into it"
            )
        shots = [filled(self.shot_form, prompt.request, shot.caption) for shot in prompt.pictured]
        return "".join([*shots, filled(self.form, prompt.request)])

    def arranged(self, pictures: Sequence[Image]) -> list[Any]:
        """Some of these processors take no list within a list."""
        return super().arranged(pictures) if len(pictures) > 1 else list(pictures)


def filled(form: str, prompt: str, caption: str = "") -> str:
    """The form with its texts, which are taken literally.

    >>> filled("<image>{prompt} {caption}", "describe {caption}", "a dog")
    '<image>describe {caption} a dog'
    """
    texts = {"{prompt}": prompt, "{caption}": caption}
    return re.sub("|".join(map(re.escape, texts)), lambda place: texts[place[0]], form)
