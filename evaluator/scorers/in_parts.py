"""Many images are scored in parts, so that never more than one part is in memory in all its forms.

    tokens, n-grams, matrices of one part -> its rows of statistics -> all rows -> measurements

A scorer that follows the protocol `InParts` gets its images like that. Several of them take each part
together: what the first has counted of a part is remembered for the others.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence

import numpy as np

from evaluator.core import InParts, Item, Measurement

IMAGES_A_PART = 10_000  # some 150 MB; of larger parts, the processor's cache holds less


def score_in_parts(scorer: InParts, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
    """What the scorer measures of captions[i] for items[i]. Raises what the scorer raises."""
    outcome = score_together({"": scorer}, items, captions)[""]
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def score_together(
    scorers: Mapping[str, InParts], items: Sequence[Item], captions: Sequence[str]
) -> dict[str, list[Measurement] | Exception]:
    """What each scorer measures, or the error that it ended with; all take a part before the next one."""
    outcomes: dict[str, list[Measurement] | Exception] = {}
    steps = {name: steps_of(scorer, items, captions) for name, scorer in scorers.items()}
    while steps:
        for name in list(steps):
            try:
                next(steps[name])
            except StopIteration as end:
                outcomes[name] = end.value
            except Exception as error:
                outcomes[name] = error
            if name in outcomes:
                del steps[name]
    return outcomes


def steps_of(
    scorer: InParts, items: Sequence[Item], captions: Sequence[str]
) -> Generator[None, None, list[Measurement]]:
    """The way of one scorer through the images, one part a step, after a step that looks at all of them."""
    if len(items) != len(captions):
        raise ValueError(f"{len(captions)} captions for {len(items)} images")
    of_parts = scorer.for_parts_of(items)
    rows = []
    for start in range(0, len(items), IMAGES_A_PART):
        yield
        part = slice(start, start + IMAGES_A_PART)
        rows.append(of_parts.rows(items[part], captions[part]))
    return of_parts.measurements(items, np.concatenate(rows) if rows else np.empty((0, 1)))
