"""What a score was computed with, in one line that lets someone else compute it again.

The idea is sacrebleu's (Post 2018, https://aclanthology.org/W18-6319): the options that change the number
stand next to the number.

    >>> from evaluator.core import Item
    >>> items = [Item("1", None, ("a cat", "a tabby")), Item("2", None, ("a dog", "a hound", "a puppy"))]
    >>> signature("CIDEr", items, variant="D", n=4, sigma=6.0, tok="ptb").removesuffix(f"|v:{__version__}")
    'CIDEr|variant:D|n:4|sigma:6|tok:ptb|refs:2-3|images:2'
"""

from __future__ import annotations

from collections.abc import Sequence

from evaluator.core import Item
from evaluator.version import __version__


def signature(name: str, items: Sequence[Item], **options: str | int | float) -> str:
    """The metric, its options in their order, the references an image has, the images, our version.

    `idf` says something about the images, and stands next to them.
    """
    idf = {"idf": options.pop("idf")} if "idf" in options else {}
    parts = {**options, "refs": reference_counts(items), **idf, "images": len(items), "v": __version__}
    return "|".join([name, *(f"{key}:{_plain(value)}" for key, value in parts.items())])


def reference_counts(items: Sequence[Item]) -> str:
    """How many references an image has: `5`, or `5-7` where it varies."""
    counts = {len(item.references) for item in items}
    fewest, most = min(counts, default=0), max(counts, default=0)
    return str(most) if fewest == most else f"{fewest}-{most}"


def _plain(value: str | int | float) -> str:
    """A value that cannot be mistaken for two parts, without a fraction of zero."""
    return f"{value:g}" if isinstance(value, float) else str(value).replace("|", "/")
