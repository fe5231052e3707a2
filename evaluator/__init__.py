"""Caption evaluation and benchmarking: caption images, score the captions, compare the systems.

    >>> from evaluator import score
    >>> measured = score(["a cat on a mat", "dogs"], [["a cat on a mat"], ["two dogs"]])
    >>> round(measured["BLEU-1"].value, 3)
    0.846

The command line is `evaluator` (or `python -m evaluator`); docs/architecture.md shows the house.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from evaluator.version import __version__

if TYPE_CHECKING:
    from evaluator.api import score

__all__ = ["__version__", "score"]


def __getattr__(name: str) -> Any:
    # Not at once: `evaluator --help` needs no numpy.
    if name == "score":
        from evaluator.api import score

        return score
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
