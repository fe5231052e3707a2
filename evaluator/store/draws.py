"""Further captions of the same images, from a model that samples: the folder `draws` of a run.

    draws/captions.jsonl    one line per attempt, in the form of the run's captions.jsonl
    draws/requests.jsonl    of a remote model: each request, written down before it is sent

An image's first caption is in the run's own files, which are those of a run with one caption per image.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import count

from evaluator.core import Caption, Item, Outcome

FOLDER = "draws"


def id_of_draw(item_id: str, number: int) -> str:
    """What the image's second, third, ... caption is filed under.

    >>> id_of_draw("139", 2)
    '139 #2'
    """
    return f"{item_id} #{number}"


def drawn_again(items: Sequence[Item], draws: int) -> list[Item]:
    """The items for their second to last caption: all of them for the second one, then for the third one."""
    return [
        replace(item, id=id_of_draw(item.id, number), draw=number - 1)
        for number in range(2, draws + 1)
        for item in items
    ]


def captioned(items: Sequence[Item], first: Mapping[str, Caption]) -> list[Item]:
    """The items with a first caption: only they get others."""
    return [item for item in items if item.id in first and first[item.id].outcome is Outcome.OK]


def by_draw(items: Sequence[Item], drawn: Mapping[str, Caption]) -> list[dict[str, Caption]]:
    """The further captions by the ids of their images: all second captions, all third captions, ..."""
    draws: list[dict[str, Caption]] = []
    if not drawn:  # as in most runs, which may have a million images
        return draws
    for number in count(2):
        ids = ((item.id, id_of_draw(item.id, number)) for item in items)
        of_draw = {item_id: drawn[own] for item_id, own in ids if own in drawn}
        if not of_draw:
            return draws
        draws.append(of_draw)
    return draws
