"""Which objects the captions of each run invent and miss most often, by CHAIR's notes on single captions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from evaluator.comparison.comparison import Comparison, Row
from evaluator.scorers.chair import INVENTED_IN, MISSED_IN, noted_objects

Captions = Mapping[str, int]  # object -> the captions that invent or miss it, the most frequent first


@dataclass(frozen=True)
class ObjectCounts:
    """Of one run, over the images that all runs captioned."""

    invented: Captions = field(default_factory=dict)
    missed: Captions = field(default_factory=dict)


def object_counts(comparison: Comparison, row: Row) -> ObjectCounts | None:
    """None where the run has no CHAIR, or its notes are not at hand, as in a baseline."""
    measured = comparison.pairs.measurements[row.index]
    invented, missed = (measured.get(metric) for metric in (INVENTED_IN, MISSED_IN))
    # Captions that invent and miss nothing have no notes either.
    if not any(one and (one.notes or one.value == best) for one, best in ((invented, 0.0), (missed, 1.0))):
        return None
    return ObjectCounts(*(counted(one.notes if one else ()) for one in (invented, missed)))


def counted(notes: Iterable[str]) -> Captions:
    """Equally frequent objects are in alphabetical order.

    >>> counted(["invented: dog, cat", "", "invented: cat"])
    {'cat': 2, 'dog': 1}
    """
    counts = Counter(each for note in notes for each in noted_objects(note))
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))
