"""The id of an image as COCO's files have it."""

from __future__ import annotations


def coco_id(item_id: str) -> int | str:
    """A number where the id is one, as in COCO's own files.

    >>> coco_id("391895"), coco_id("007"), coco_id("a.jpg")
    (391895, '007', 'a.jpg')
    """
    return int(item_id) if item_id.isdecimal() and str(int(item_id)) == item_id else item_id
