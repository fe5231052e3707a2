"""What METEOR 1.5 aligns with for English. The values are those that the program prints for `-l en -norm`."""

from __future__ import annotations

from enum import IntEnum


class Matcher(IntEnum):
    """In the order in which they are tried, which is the order of ties too."""

    EXACT = 0
    STEM = 1
    SYNONYM = 2
    PARAPHRASE = 3


BEAM = 40  # partial alignments kept at each word of the reference
