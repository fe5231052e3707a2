"""METEOR 1.5 (Denkowski and Lavie 2014, https://aclanthology.org/W14-3348) from its own statistics.

>>> len(COLUMNS), COLUMNS[4:6]
(23, ('caption exact content', 'reference exact content'))
"""

from __future__ import annotations

import numpy as np

from evaluator.core.arrays import Array

MATCHERS = ("exact", "stem", "synonym", "paraphrase")

# The program's own line of statistics, in its order. "caption" is its test; "function" words are those in its
# list of function words, "content" words are all others; "chunks" are runs of adjacent matches.
COLUMNS = (
    "caption words",
    "reference words",
    "caption function words",
    "reference function words",
    *(
        f"{side} {matcher} {kind}"
        for matcher in MATCHERS
        for kind in ("content", "function")
        for side in ("caption", "reference")
    ),
    "chunks",
    "caption matched words",
    "reference matched words",
)

# The program's parameters for English: how much more recall counts than precision; how steeply the penalty of
# chunks grows, and up to what; the weight of a content word (a function word has the rest); the weight of a
# match by each matcher.
ALPHA, BETA, GAMMA, DELTA = 0.85, 0.20, 0.60, 0.75
WEIGHTS = dict(zip(MATCHERS, (1.0, 0.6, 0.8, 0.6), strict=True))


def both_sides(what: str) -> list[int]:
    """The columns of the caption and of the reference."""
    return [COLUMNS.index(f"caption {what}"), COLUMNS.index(f"reference {what}")]


_WORDS, _FUNCTION_WORDS, _MATCHED_WORDS = map(both_sides, ("words", "function words", "matched words"))
_CHUNKS = COLUMNS.index("chunks")
# One addition after the other, as the program does it: two references may tie but for the last digit.
_MATCHES = [
    (both_sides(f"{matcher} {kind}"), weight, share)
    for kind, share in (("content", DELTA), ("function", 1.0 - DELTA))
    for matcher, weight in WEIGHTS.items()
]


def meteor(rows: Array) -> Array:
    """Rows (..., 23) of COLUMNS -> (...): the score, from 0 to 1; NaN for a row of zeros.

    Chunks are zero where caption and reference are one chunk.
    """
    function_words = rows[..., _FUNCTION_WORDS]
    weighted_length = DELTA * (rows[..., _WORDS] - function_words) + (1.0 - DELTA) * function_words
    matches = np.zeros_like(weighted_length)
    for columns, weight, share in _MATCHES:
        matches = matches + rows[..., columns] * weight * share
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = np.moveaxis(matches / weighted_length, -1, 0)
        mean_of_both = 1.0 / ((1.0 - ALPHA) / precision + ALPHA / recall)
        fragmentation = rows[..., _CHUNKS] / (rows[..., _MATCHED_WORDS].sum(axis=-1) / 2.0)
        score = mean_of_both * (1.0 - GAMMA * fragmentation**BETA)
    return np.where(rows.any(axis=-1), np.maximum(np.nan_to_num(score), 0.0), np.nan)
