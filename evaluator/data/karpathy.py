"""Karpathy's splits, as data=karpathy: one split of a file.

Published COCO scores are for the 5,000 images of `test`. Papers train on `train` together with `restval`. A
file without splits is read as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from evaluator.core import Item
from evaluator.data.references_file import ReferencesFile, split_names


@dataclass(frozen=True)
class Karpathy(ReferencesFile):
    """One split of a file such as dataset_coco.json; `images` is val2014's parent, or val2014."""

    kind: ClassVar[str] = "karpathy"

    split: str = "test"

    def splits(self) -> Mapping[str, Sequence[Item]]:
        """The items of every split of the file, without their pictures."""
        return {name: replace(self, split=name, images=None).load() for name in split_names(self.annotations)}
