"""What a judge is made of: a chat model and a rubric, built from choices of conf/ and checked beforehand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from evaluator.config.choices import choice_options, component_of_choice
from evaluator.config.components import component_class, validated
from evaluator.core import Captioner, ChecksBefore, Prompt, Runner
from evaluator.core.errors import ConfigError, EvaluatorError
from evaluator.scorers.judge.rubric import AnyRubric

# Room for an answer with its reason, and for some reasoning before it, by the names that models have for it.
FEWEST_TOKENS = {"max_output_tokens": 1024, "max_new_tokens": 512}

# What the rubrics of each class are about, and which command asks them.
ABOUT = {
    "Rubric": ("one caption", "the scorer judge"),
    "PairRubric": ("two captions", "evaluator arena judge"),
}

R = TypeVar("R", bound=AnyRubric)


def rubric_of(kind: type[R], choice: str, config_dir: Path | None) -> R:
    """A rubric of conf/rubric/ or of a YAML file. Raises ConfigError, also for one of another kind."""
    options = choice_options("rubric", choice, config_dir)
    named = str(options.pop("_target_", kind.__name__)).rpartition(".")[2]
    if named != kind.__name__ and named in ABOUT:
        about, asker = ABOUT[named]
        raise ConfigError(f"the rubric {choice} is about {about}: it is for {asker}")
    try:
        rubric: R = validated(kind, options, "")
    except ConfigError as error:
        raise ConfigError(f"the rubric {choice}: {error}") from error
    return rubric


def chat_model(
    choice: str, options: Mapping[str, Any], config_dir: Path | None, sees_pictures: bool, where: str
) -> Captioner:
    """The captioner that is asked. `where` is how its options are typed: judge, for judge.temperature=1.

    Raises ConfigError for a model that cannot answer questions, and for options that it does not have.
    """
    kind_of_model = component_class(choice_options("model", choice, config_dir), where)
    if not getattr(kind_of_model, "answers_questions", False):
        raise ConfigError(
            f"the judge {choice} only captions pictures. A judge must be a chat model, such as gemini, "
            "gpt-mini, claude-haiku or ollama"
        )
    own = {name: most for name, most in FEWEST_TOKENS.items() if name not in options}
    model = component_of_choice("model", choice, options, config_dir, where)
    longer = {name: most for name, most in own.items() if getattr(model, name, most) < most}
    blind = {} if sees_pictures or not hasattr(model, "image_tokens") else {"image_tokens": (0, 0)}
    chosen: Captioner = replace(model, **longer, **blind)
    return chosen


def check_chat_model(model: Captioner, prompt: Prompt, runner: Runner, where: str) -> Sequence[str]:
    """Warnings. Raises an error for a missing key or package, and for a budget without a price."""
    try:
        warnings = list(model.check(prompt, ()))
        if isinstance(runner, ChecksBefore):
            runner.check(model, prompt)
    except EvaluatorError as error:
        error.args = (of_the_judge(str(error), where),)
        raise
    return [of_the_judge(warning, where) for warning in warnings]


def label_of(choice: str, options: Mapping[str, Any]) -> str:
    """What tables call the model: the choice, or the model that was named for a server."""
    named = str(options.get("model") or options.get("checkpoint") or choice)
    return re.sub(r"[()|]", "", named.rstrip("/").rpartition("/")[2])


def of_the_judge(message: str, where: str) -> str:
    """A message about the options of a model as one about those of the judge's model."""
    return re.sub(r"\bmodel\.(?=[a-z_]+\b)", f"{where}.", message)
