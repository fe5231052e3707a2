"""What a data set is called: by its content where that is known, else by its file.

The digest is over ids and references, without regard to their order, to blanks, or to how the ids of COCO's
images are spelled: BLIP's list and Karpathy's own file of one split are the same data set. `known.yaml` lists
the digests.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from evaluator.core import Dataset, Item
from evaluator.data.hub import Hub
from evaluator.data.references_file import ReferencesFile, coco_id

KNOWN = Path(__file__).parent / "known.yaml"


@dataclass(frozen=True)
class KnownDataset:
    """A published set of images with their references."""

    name: str
    images: int
    digest: str
    origin: str  # the file that the digest was computed from


@cache
def known_datasets() -> tuple[KnownDataset, ...]:
    """The data sets of known.yaml."""
    import yaml

    return tuple(KnownDataset(**entry) for entry in yaml.safe_load(KNOWN.read_text(encoding="utf-8")))


def known_dataset(name: str) -> KnownDataset | None:
    """The known data set of this name."""
    return next((known for known in known_datasets() if known.name == name), None)


def name_of_content(references: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """The name of the known data set with these ids and references; empty where there is none."""
    if len(references) not in {known.images for known in known_datasets()}:
        return ""
    digest = content_digest(references)
    return next((known.name for known in known_datasets() if known.digest == digest), "")


@lru_cache(maxsize=2)
def content_digest(references: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """The digest of ids and references: sixteen hexadecimal digits.

    >>> karpathy, blip = ("7", ("a  dog", "a pet")), ("000000000007.jpg", ("a pet", "a dog"))
    >>> content_digest((karpathy,)) == content_digest((blip,))
    True
    """
    hashed = hashlib.sha256()
    for line in sorted(_lines(references)):
        hashed.update(line.encode(errors="surrogatepass") + b"\n")
    return hashed.hexdigest()[:16]


def _lines(references: Iterable[tuple[str, tuple[str, ...]]]) -> Iterable[str]:
    for name, texts in references:
        yield "\t".join([coco_id(name, by_name=True), *sorted(" ".join(text.split()) for text in texts)])


def dataset_name(choice: str, dataset: Dataset, items: Sequence[Item] = ()) -> str:
    """What to call a data set: its known name, else its file's, and the rule by which references count.

    `items` are those of the whole data set. One that is no file of references goes by its choice of the group
    `data`; one of the hub by its name there.
    """
    if isinstance(dataset, Hub):
        return name_of_content(tuple((item.id, item.references) for item in items)) or str(dataset)
    if not isinstance(dataset, ReferencesFile):
        return choice
    references = dataset.references()
    name = name_of_content(tuple((image.id, image.references) for image in references.images))
    parts = [name or dataset.annotations.name]
    if references.split and not name:
        parts.append(f"{references.split} split")
    parts.append(references.rule)
    if dataset.leave_out:
        parts.append(f"without reference {dataset.leave_out}")
    return ", ".join(filter(None, parts))
