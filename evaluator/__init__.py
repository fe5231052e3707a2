"""Caption evaluation and benchmarking: caption images, score the captions, compare the systems.

    >>> from evaluator import score
    >>> measured = score(["a cat on a mat", "dogs"], [["a cat on a mat"], ["two dogs"]])
    >>> round(measured["BLEU-1"].value, 3)
    0.846

Whole runs, as the command line makes them:

    from evaluator import evaluate_all, run_configs, write_report

    evaluation = evaluate_all(run_configs(["model=tiny-git,tiny-blip", "data=demo"], sweep=True))
    comparison = evaluation.comparison
    scores = comparison.per_image()  # a pandas DataFrame
    write_report(comparison, "report.html")

The command line is `evaluator` (or `python -m evaluator`). docs/architecture.md explains the layout.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from evaluator.version import __version__

if TYPE_CHECKING:
    from evaluator.agreement.trust import trust
    from evaluator.api import score
    from evaluator.comparison.compare import compare
    from evaluator.comparison.gate import parse_gate, regress
    from evaluator.config.run_config import run_configs
    from evaluator.core import Item, Measurement, Outcome, Prompt, Reply, Score, Signature
    from evaluator.core.errors import CaptionError, EvaluatorError, MetricError
    from evaluator.evaluate import evaluate_all
    from evaluator.report.page.html import write_report
    from evaluator.scorers.bleu import BLEU
    from evaluator.scorers.cider import CIDEr
    from evaluator.scorers.clipscore import CLIPScore
    from evaluator.scorers.judge.judge import Judge
    from evaluator.scorers.meteor import METEOR
    from evaluator.scorers.rouge import ROUGE
    from evaluator.scorers.spice import SPICE
    from evaluator.store.run_folder import RunFolder

# What a notebook needs -> the module that has it.
_MODULES = {
    **dict.fromkeys(("Item", "Measurement", "Outcome", "Prompt", "Reply"), "evaluator.core"),
    **dict.fromkeys(("Score", "Signature"), "evaluator.core"),
    **dict.fromkeys(("CaptionError", "EvaluatorError", "MetricError"), "evaluator.core.errors"),
    **dict.fromkeys(("parse_gate", "regress"), "evaluator.comparison.gate"),
    "BLEU": "evaluator.scorers.bleu",
    "CIDEr": "evaluator.scorers.cider",
    "CLIPScore": "evaluator.scorers.clipscore",
    "Judge": "evaluator.scorers.judge.judge",
    "METEOR": "evaluator.scorers.meteor",
    "ROUGE": "evaluator.scorers.rouge",
    "SPICE": "evaluator.scorers.spice",
    "RunFolder": "evaluator.store.run_folder",
    "compare": "evaluator.comparison.compare",
    "evaluate_all": "evaluator.evaluate",
    "run_configs": "evaluator.config.run_config",
    "score": "evaluator.api",
    "trust": "evaluator.agreement.trust",
    "write_report": "evaluator.report.page.html",
}

__all__ = [
    "BLEU",
    "CIDEr",
    "CLIPScore",
    "Judge",
    "METEOR",
    "ROUGE",
    "SPICE",
    "CaptionError",
    "EvaluatorError",
    "MetricError",
    "Item",
    "Measurement",
    "Outcome",
    "Prompt",
    "Reply",
    "RunFolder",
    "Score",
    "Signature",
    "__version__",
    "compare",
    "evaluate_all",
    "parse_gate",
    "regress",
    "run_configs",
    "score",
    "trust",
    "write_report",
]


def __getattr__(name: str) -> Any:
    # Imported when used: `evaluator --help` needs no numpy.
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """So that a notebook completes these names."""
    return sorted({*globals(), *_MODULES})
