"""CHAIR (Rohrbach et al. 2018, https://aclanthology.org/D18-1437): objects that a caption invents.

A caption invents an object where it names one of COCO's 80 kinds that the image does not show. What an image
shows is what its object annotations list (`data.instances`) and, as in the original, what its references
name.

    CHAIR-i        mentions of invented objects among all mentions of objects; lower is better
    CHAIR-s        captions with an invented object among all captions; lower is better
    object recall  objects of the image that the caption names, among all of them

The words for each kind of object are this project's own list, because the original's has no licence. So
numbers differ from the original's, and the signature names the list.

    >>> shown = objects_of(Item("1", None, ("a dog on a couch",), ("dog",)), "both")
    >>> verdict("a puppy and a cat on a sofa", shown)
    Verdict(named=3, invented=('cat',), found=('couch', 'dog'), missed=())
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from evaluator.core import Item, Measurement
from evaluator.core.errors import MetricError
from evaluator.scorers.object_words import named_objects, object_kinds
from evaluator.scorers.signature import signature

Evidence = Literal["both", "instances"]

NAMES = INVENTED_IN, _, MISSED_IN = ("CHAIR-i", "CHAIR-s", "object recall")  # two metrics have notes
WORDS = "evaluator-1"  # the version of coco_objects.yaml


@dataclass(frozen=True)
class Verdict:
    """What one caption says of the objects of its image."""

    named: int  # mentions of objects
    invented: tuple[str, ...]  # one entry per mention
    found: tuple[str, ...]  # of the image's objects, in alphabetical order
    missed: tuple[str, ...]

    @property
    def row(self) -> tuple[int, ...]:
        """For each of NAMES what is counted, and among how many."""
        in_image = len(self.found) + len(self.missed)
        return len(self.invented), self.named, bool(self.invented), 1, len(self.found), in_image


def objects_of(item: Item, evidence: Evidence) -> frozenset[str]:
    """The objects that an image shows, by its annotations and its references."""
    annotated = frozenset(item.tags) & object_kinds().keys()
    if evidence == "instances":
        return annotated
    # A word that may be one of two kinds is evidence for both.
    named = (kinds for reference in item.references for kinds in named_objects(reference))
    return annotated.union(*named)


def verdict(caption: str, shown: frozenset[str]) -> Verdict:
    """What a caption says of the objects that its image shows."""
    mentions = named_objects(caption)
    found = frozenset().union(*mentions) & shown
    return Verdict(
        named=len(mentions),
        invented=tuple(min(kinds) for kinds in mentions if not kinds & shown),
        found=tuple(sorted(found)),
        missed=tuple(sorted(shown - found)),
    )


def note(what: str, objects: Sequence[str]) -> str:
    """One line about a caption.

    >>> note("invented", ("cat", "dog", "cat"))
    'invented: cat, dog'
    """
    return f"{what}: {', '.join(dict.fromkeys(objects))}" if objects else ""


def noted_objects(text: str) -> list[str]:
    """The objects that a note names: the inverse of `note`.

    >>> noted_objects("invented: cat, hot dog"), noted_objects("")
    (['cat', 'hot dog'], [])
    """
    return text.partition(": ")[2].split(", ") if text else []


@dataclass(frozen=True)
class CHAIR:
    """Counts the objects that captions invent, and those of the image that they name."""

    kind: ClassVar[str] = "chair"

    evidence: Evidence = "both"

    @property
    def names(self) -> tuple[str, ...]:
        return NAMES

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Over the images with object annotations. Raises MetricError where there are none."""
        kinds = object_kinds().keys()
        annotated = [bool(kinds & set(item.tags)) for item in items]
        if not any(annotated):
            raise MetricError(
                "CHAIR needs to know which objects the images show. Type data.instances=FILE, with COCO's "
                "instances_val2017.json or instances_val2014.json"
            )
        verdicts = [
            verdict(caption, objects_of(item, self.evidence)) if is_annotated else None
            for item, caption, is_annotated in zip(items, captions, annotated, strict=True)
        ]
        rows = np.array([one.row if one else [0] * 6 for one in verdicts], np.float64)
        notes = {
            INVENTED_IN: [note("invented", one.invented) if one else "" for one in verdicts],
            MISSED_IN: [note("missed", one.missed) if one else "" for one in verdicts],
        }
        scored = [item for item, is_annotated in zip(items, annotated, strict=True) if is_annotated]
        return [
            Measurement(
                name,
                rows[:, columns],
                "mean",
                signature(name, scored, evidence=self.evidence, objects="coco80", words=WORDS),
                higher_is_better=name == "object recall",
                notes=notes.get(name, ()),
            )
            for name, columns in zip(NAMES, ([0, 1], [2, 3], [4, 5]), strict=True)
        ]
