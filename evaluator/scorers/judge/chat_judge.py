"""What a judge of one caption and a judge of two have in common: a chat model that is asked by a rubric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

from evaluator.config.identity import identity
from evaluator.core import Captioner, Prompt, Runner
from evaluator.scorers.judge.choices import chat_model, check_chat_model, rubric_of
from evaluator.scorers.judge.question import question_digest
from evaluator.scorers.judge.rubric import AnyRubric

R = TypeVar("R", bound=AnyRubric)


class ChatJudge(Generic[R]):
    """A dataclass of these four options derives from it, names its rubrics and how its options are typed."""

    model: str
    rubric: str
    options: Mapping[str, Any]
    config_dir: Path | None

    rubric_class: ClassVar[type[Any]]
    options_prefix: ClassVar[str]  # of the model's options: judge, for judge.temperature=0

    def __post_init__(self) -> None:
        """Raises ConfigError for a model or a rubric that cannot be used."""
        _ = self.captioner

    @cached_property
    def captioner(self) -> Captioner:
        """The model that is asked."""
        return chat_model(self.model, self.options, self.config_dir, self.rules.picture, self.options_prefix)

    @cached_property
    def rules(self) -> R:
        """What the judge is asked."""
        rubric: R = rubric_of(self.rubric_class, self.rubric, self.config_dir)
        return rubric

    def check(self, runner: Runner) -> Sequence[str]:
        """Warnings. Raises an error for a missing key or package, and for a budget without a price."""
        prompt = Prompt(self.rubric, self.rules.question, self.rules.system)
        return check_chat_model(self.captioner, prompt, runner, self.options_prefix)

    def digest_of_question(self, text: str, picture: Path | None) -> str:
        """What stands for a question to this model by this rubric."""
        return question_digest(self._identity, text, picture)

    @cached_property
    def _identity(self) -> list[Any]:
        return [identity(self.captioner), self.rules.digest]
