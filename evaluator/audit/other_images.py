"""Captions that fit the references of another image better than those of their own.

The overlap of a caption with an image's references is the share of its words that occur there, each word
weighted by how rare it is (log of images over images that have it). A caption of the wrong image overlaps as
little with its own references as with those of any other image.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import fmean, stdev

from evaluator.audit.texts import Texts
from evaluator.core import Finding

FEWEST_SHIFTED = 5  # images in a row
SHIFTS = {1: "the next image", -1: "the image before"}
GAIN = 0.1  # how much the overlap must grow on average where captions are shifted
FITS = 0.5  # a caption that overlaps this much with its own references is not shifted
FEWEST = 20  # images, below which chance decides
MOST = 1000  # images that are looked at, evenly spread
SURE = 3.0  # standard errors by which captions must fit their own images better


@dataclass(frozen=True)
class Overlaps:
    """The overlaps of captions with references; rows without words on either side are left out."""

    texts: Texts
    rarity: dict[str, float]
    rows: tuple[int, ...]

    @classmethod
    def of(cls, texts: Texts) -> Overlaps:
        images = Counter(chain.from_iterable(texts.reference_words))
        rarity = {word: math.log((1 + len(texts)) / count) for word, count in images.items()}
        rows = (i for i, words in enumerate(texts.words) if words and texts.reference_words[i])
        return cls(texts, rarity, tuple(rows))

    def overlap(self, row: int, other: int) -> float:
        """Of the caption of one row with the references of another, from 0 to 1."""
        rarity, words = self.rarity, set(self.texts.words[row])
        whole = sum([rarity[word] for word in words if word in rarity])
        shared = sum([rarity[word] for word in self.texts.reference_words[other] if word in words])
        return shared / whole if whole else 0.0


def misplaced(texts: Texts) -> Finding | None:
    """Captions that belong to other images: shifted by one, or in another order, or of other data."""
    overlaps = Overlaps.of(texts)
    if len(overlaps.rows) < FEWEST_SHIFTED:
        return None
    own = {row: overlaps.overlap(row, row) for row in overlaps.rows}
    return _shifted(overlaps, own) or _of_other_images(overlaps, own)


def _shifted(overlaps: Overlaps, own: dict[int, float]) -> Finding | None:
    """Captions that fit the references of the next image or the one before, many in a row."""
    texts, last = overlaps.texts, len(overlaps.texts) - 1
    best: tuple[float, int, int, int] = (0.0, 0, 0, 0)
    for shift in SHIFTS:
        gains = [0.0] * len(texts)
        for row in overlaps.rows:
            if own[row] >= FITS:
                gains[row] = -own[row]
            elif 0 <= row + shift <= last and texts.references[row] != texts.references[row + shift]:
                gains[row] = overlaps.overlap(row, row + shift) - own[row]
        total, start, end = _best_stretch(gains)
        if end - start >= FEWEST_SHIFTED and total / (end - start) >= GAIN:
            best = max(best, (total, shift, start, end))
    _, shift, start, end = best
    return texts.finding("shifted", range(start, end), SHIFTS[shift]) if shift else None


def _of_other_images(overlaps: Overlaps, own: dict[int, float]) -> Finding | None:
    """Captions that fit their own images no better than images half the data set away."""
    texts = overlaps.texts
    rows = overlaps.rows[:: max(1, len(overlaps.rows) // MOST)]
    if len(overlaps.rows) < FEWEST:
        return None
    away = [(row + len(texts) // 2) % len(texts) for row in rows]
    gains = [own[row] - overlaps.overlap(row, other) for row, other in zip(rows, away, strict=True)]
    if fmean(gains) > SURE * stdev(gains) / math.sqrt(len(gains)):
        return None
    return texts.finding("other_images", overlaps.rows)


def _best_stretch(gains: Sequence[float]) -> tuple[float, int, int]:
    """The stretch with the largest sum (Kadane's algorithm): the sum, its first row, the row behind it."""
    best, total, start = (0.0, 0, 0), 0.0, 0
    for index, gain in enumerate(gains):
        if total <= 0:
            total, start = 0.0, index
        total += gain
        if total > best[0]:
            best = (total, start, index + 1)
    return best
