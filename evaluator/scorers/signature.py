"""The signature of a metric over some images.

>>> from evaluator.core import Item
>>> items = [Item("1", None, ("a cat", "a tabby")), Item("2", None, ("a dog", "a hound", "a puppy"))]
>>> signature("CIDEr", items, variant="D", n=4, sigma=6.0, tok="ptb").removesuffix(f"|v:{__version__}")
'CIDEr|variant:D|n:4|sigma:6|tok:ptb|refs:2-3|images:2'
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluator.core import Item, Signature
from evaluator.version import __version__


def signature(name: str, items: Sequence[Item], **options: str | int | float) -> Signature:
    """The metric, its options in their order, the number of references and images, and our version.

    `idf` says something about the images, and stands next to them.
    """
    idf = {"idf": options.pop("idf")} if "idf" in options else {}
    counts = {"refs": reference_counts(items), **idf, "images": len(items)}
    return Signature.of(name, {**options, **counts, "v": __version__})


def checkpoint_name(checkpoint: str) -> str:
    """A checkpoint in signatures: its name on the hub, or its folder without the path."""
    return Path(checkpoint).name if Path(checkpoint).is_dir() else checkpoint


def reference_counts(items: Sequence[Item]) -> str:
    """How many references each image has: `5`, or `5-7` where the number varies."""
    counts = {len(item.references) for item in items}
    fewest, most = min(counts, default=0), max(counts, default=0)
    return str(most) if fewest == most else f"{fewest}-{most}"
