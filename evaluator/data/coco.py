"""COCO's captions, or any other file of references that holds one set of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from evaluator.data.references_file import ReferencesFile


@dataclass(frozen=True)
class COCO(ReferencesFile):
    """The images of a whole file, in COCO's format or in any other that `data/references_file.py` reads."""

    kind: ClassVar[str] = "coco"
