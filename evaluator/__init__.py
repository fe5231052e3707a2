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
    from evaluator.config.run_config import run_configs
    from evaluator.evaluate import evaluate_all
    from evaluator.report.page.html import write_report

__all__ = ["__version__", "compare", "evaluate_all", "run_configs", "score", "trust", "write_report"]

_MODULES = {
    "score": "evaluator.api",
    "compare": "evaluator.comparison.compare",
    "run_configs": "evaluator.config.run_config",
    "evaluate_all": "evaluator.evaluate",
    "trust": "evaluator.agreement.trust",
    "write_report": "evaluator.report.page.html",
}


def __getattr__(name: str) -> Any:
    # Imported when used: `evaluator --help` needs no numpy.
    if name in _MODULES:
        return getattr(import_module(_MODULES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
