"""Captions or references that are the same for many images."""

from __future__ import annotations

from collections import Counter

from evaluator.audit.failure_texts import failure_in
from evaluator.audit.shared_ends import plain
from evaluator.audit.texts import Texts
from evaluator.core import Finding

FEWEST = 4  # images
MOST_FREQUENT = 0.05  # of the captions, and RATIO times as often as the most frequent reference
DIFFERENT = 0.2  # of the captions, and as many times fewer as RATIO than the references
RATIO = 4.0
SAME_REFERENCES = 0.5  # of the images


def few_different(texts: Texts) -> Finding | None:
    """One caption for many images, where the references are not alike.

    None where it is a failure text: then another finding counts it.
    """
    captions = [plain(text).rstrip(" .") for text in texts.captions if text.strip()]
    if len(captions) < FEWEST:
        return None
    counts = Counter(captions)
    ((most, count),) = counts.most_common(1)
    first = Counter(plain(of_image[0]).rstrip(" .") for of_image in texts.references if of_image)
    theirs = max(first.values(), default=0) / max(1, first.total())
    different = len(first) / max(1, first.total()) if first else 1.0
    is_frequent = count >= FEWEST and count / len(captions) >= max(MOST_FREQUENT, RATIO * theirs)
    is_monotonous = len(captions) >= 20 and len(counts) / len(captions) <= min(DIFFERENT, different / RATIO)
    if not is_frequent and not is_monotonous:
        return None
    same = [i for i, text in enumerate(texts.captions) if plain(text).rstrip(" .") == most]
    example = texts.captions[same[0]].strip()
    return texts.finding("few_different", same, example[:200]) if failure_in(example) is None else None


def same_references(texts: Texts) -> Finding | None:
    """The same references for most images: then every caption is as right as any other."""
    sets = [tuple(sorted(of_image)) for of_image in texts.references]
    counts = Counter(one for one in sets if one)
    if not counts or (most := counts.most_common(1)[0])[1] < max(FEWEST, SAME_REFERENCES * len(texts)):
        return None
    same = [index for index, one in enumerate(sets) if one == most[0]]
    return texts.finding("same_references", same, most[0][0][:200])
