"""Caption evaluation and benchmarking: caption images, score the captions, compare the systems.

    from evaluator.scorers.cider import CIDEr
    measurement, = CIDEr().score(items, captions)

The command line is `evaluator` (or `python -m evaluator`); docs/architecture.md shows the house.
"""

__version__ = "0.1.0"
