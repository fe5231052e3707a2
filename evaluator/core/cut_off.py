"""Captions whose ends a metric could not read, because its text encoder reads only so many tokens.

A scorer says it in the note on the caption, so that it is known image by image.

    >>> cut_off_note(77, 120), is_cut_off(cut_off_note(77, 120)), is_cut_off("cut off")
    ('cut off after 77 of 120 tokens', True, False)
"""

from __future__ import annotations

import re

_NOTE = re.compile(r"cut off after \d+ of \d+ tokens")


def cut_off_note(read: int, tokens: int) -> str:
    return f"cut off after {read} of {tokens} tokens"


def is_cut_off(note: str) -> bool:
    return _NOTE.fullmatch(note) is not None
