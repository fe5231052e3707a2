"""What METEOR 1.5 was built with for English, and the layout of its statistics.

The values are those that the program itself prints for `-l en -norm`: weights 1.0 0.6 0.8 0.6, beam 40.

    >>> len(COLUMNS), COLUMNS[4:6]
    (23, ('caption exact content', 'reference exact content'))
"""

from __future__ import annotations

from enum import IntEnum


class Matcher(IntEnum):
    """In the order in which they are tried, which is the order of ties too."""

    EXACT = 0
    STEM = 1
    SYNONYM = 2
    PARAPHRASE = 3


BEAM = 40  # partial alignments kept at each word of the reference

# The program's own line of statistics, in its order. "caption" is its test, "content" and "function" are
# words that are not and that are in its list of function words, "chunks" are runs of adjacent matches.
COLUMNS = (
    "caption words",
    "reference words",
    "caption function words",
    "reference function words",
    *(
        f"{side} {matcher.name.lower()} {kind}"
        for matcher in Matcher
        for kind in ("content", "function")
        for side in ("caption", "reference")
    ),
    "chunks",
    "caption matched words",
    "reference matched words",
)
