"""Captions whose ends a metric could not read, because its text encoder reads only so many tokens.

A scorer says it in the note on the caption, so that it is known image by image.

    >>> cut_off_note(77, 120), is_cut_off(cut_off_note(77, 120)), is_cut_off("cut off")
    ('cut off after 77 of 120 tokens', True, False)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_NOTE = re.compile(r"cut off after \d+ of \d+ tokens")


def cut_off_note(read: int, tokens: int) -> str:
    return f"cut off after {read} of {tokens} tokens"


def cut_off_notes(read: int, tokens: Iterable[int], scored: Iterable[bool]) -> Sequence[str]:
    """A note for each scored caption of more tokens than are read, else an empty one; () where there is none.

    >>> cut_off_notes(77, [120, 8, 99], [True, True, False])
    ['cut off after 77 of 120 tokens', '', '']
    """
    notes = [
        cut_off_note(read, count) if count > read and is_scored else ""
        for count, is_scored in zip(tokens, scored, strict=True)
    ]
    return notes if any(notes) else ()


def is_cut_off(note: str) -> bool:
    return _NOTE.fullmatch(note) is not None
