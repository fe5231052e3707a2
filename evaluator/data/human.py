"""The human baseline: what one person wrote of each image, to be scored against what the others wrote.

>>> items = [Item("1", None, ("a dog", "a puppy", "a pet")), Item("2", None, ("a cat",))]
>>> said_by(items, 1)
{'1': 'a dog'}
>>> [item.references for item in without(items, 1)]
[('a puppy', 'a pet'), ('a cat',)]

An image with a single reference keeps it and has no human caption: nothing would be left to compare with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from evaluator.core import Item


def said_by(items: Iterable[Item], number: int) -> dict[str, str]:
    """Image id -> its reference of this number, from 1 on; images with fewer, or with no other, left out."""
    return {item.id: item.references[number - 1] for item in items if _can_spare(item, number)}


def without(items: Iterable[Item], number: int | None) -> list[Item]:
    """The items without that reference; unchanged for None."""
    if number is None:
        return list(items)
    return [
        replace(item, references=item.references[: number - 1] + item.references[number:])
        if _can_spare(item, number)
        else item
        for item in items
    ]


def _can_spare(item: Item, number: int) -> bool:
    return len(item.references) >= max(2, number)
