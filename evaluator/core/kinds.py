"""The name of a component wherever it is kept: a run folder, a config.yaml, the key of a paid answer.

A class declares its kind (`kind: ClassVar[str] = "gemini"`), so that moving the class changes nothing that
was kept. A component without a kind, from somebody's own repository, goes by the path of its class.

    >>> kind_of(object())
    'builtins.object'
    >>> with_kind({"class": "evaluator.data.coco.COCO", "leave_out": None})
    {'kind': 'coco', 'leave_out': None}
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any

# The class paths that version 0.1.0 kept in place of kinds. They stand for the kinds whatever the classes are
# called today: a changed line here would lose cached answers that were paid for.
FIRST_CLASS_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "evaluator.models.anthropic_claude.AnthropicClaude",
        "bleu": "evaluator.scorers.bleu.BLEU",
        "blip": "evaluator.models.blip.BLIP",
        "blip2": "evaluator.models.blip2.BLIP2",
        "cider": "evaluator.scorers.cider.CIDEr",
        "clipscore": "evaluator.scorers.clipscore.CLIPScore",
        "coco": "evaluator.data.coco.COCO",
        "gemini": "evaluator.models.gemini.Gemini",
        "git": "evaluator.models.git.GIT",
        "google-generativeai": "evaluator.models.google_generativeai.GoogleGenerativeAI",
        "karpathy": "evaluator.data.karpathy.Karpathy",
        "meteor": "evaluator.scorers.meteor.METEOR",
        "openai-compatible": "evaluator.models.openai_compatible.OpenAICompatible",
        "prompt": "evaluator.core.Prompt",
        "replay": "evaluator.models.replay.Replay",
        "rouge": "evaluator.scorers.rouge.ROUGE",
        "spice": "evaluator.scorers.spice.SPICE",
    }
)
# Where the scorers of this package live today: a recorded run can name no other class.
SCORER_CLASSES: Mapping[str, str] = MappingProxyType(
    {
        "bleu": "evaluator.scorers.bleu.BLEU",
        "meteor": "evaluator.scorers.meteor.METEOR",
        "rouge": "evaluator.scorers.rouge.ROUGE",
        "cider": "evaluator.scorers.cider.CIDEr",
        "spice": "evaluator.scorers.spice.SPICE",
        "bertscore": "evaluator.scorers.bertscore.BERTScore",
        "clipscore": "evaluator.scorers.clipscore.CLIPScore",
        "clipscore-sentences": "evaluator.scorers.clipscore_sentences.CLIPScoreSentences",
        "pacscore": "evaluator.scorers.pac_score.PACScore",
        "chair": "evaluator.scorers.chair.CHAIR",
        "judge": "evaluator.scorers.judge.judge.Judge",
        "itm": "evaluator.scorers.itm.ITM",
        "marks": "evaluator.scorers.hand_marks.HandMarks",
        "regeneration": "evaluator.scorers.regeneration.Regeneration",
    }
)
_KINDS = {path: kind for paths in (SCORER_CLASSES, FIRST_CLASS_PATHS) for kind, path in paths.items()}


def kind_of(component: object) -> str:
    """The kind that the component's class declares, else the path of the class."""
    cls = type(component)
    return str(getattr(cls, "kind", None) or f"{cls.__module__}.{cls.__qualname__}")


def scorer_class(kind: str) -> type:
    """The class of a scorer of this package, imported when it is asked for."""
    module, _, name = SCORER_CLASSES[kind].rpartition(".")
    component: type = getattr(import_module(module), name)
    return component


def kind_of_class_path(path: str) -> str:
    """The kind of a class of version 0.1.0, or of a scorer, by its path; any other path stands for itself."""
    return _KINDS.get(path, path)


def key_in_cache(kind: str) -> str:
    """What a backend of this kind is called in the key of a cached answer."""
    return FIRST_CLASS_PATHS.get(kind, kind)


def with_kind(options: Mapping[str, Any]) -> dict[str, Any]:
    """The identity of a component as it is written today, from one that may hold a class path instead."""
    rest = {name: value for name, value in options.items() if name != "class"}
    return {"kind": kind_of_class_path(options["class"])} | rest if "class" in options else rest
