"""The human baseline: one reference of each image serves as a caption, and is scored against the others.

>>> items = [Item("1", None, ("a dog", "a puppy", "a pet")), Item("2", None, ("a cat",))]
>>> held_out_captions(items, 1)
{'1': 'a dog'}
>>> [item.references for item in drop_reference(items, 1)]
[('a puppy', 'a pet'), ('a cat',)]

An image with a single reference keeps it and has no human caption: nothing would be left to compare with.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from evaluator.core import Item


def held_out_captions(items: Iterable[Item], number: int) -> dict[str, str]:
    """Image id -> its reference with this number, counted from 1, where the image has it and another one."""
    return {item.id: item.references[number - 1] for item in items if _can_spare(item, number)}


def drop_reference(items: Iterable[Item], number: int | None) -> list[Item]:
    """The items without the reference with this number; unchanged for None."""
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
