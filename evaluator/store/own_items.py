"""Which items.jsonl this machine wrote: only such a file is believed about where pictures lie.

A run folder that came from elsewhere can name any file of this machine, and a report would show it. So the
cache keeps the digest of each items.jsonl that was written here.
"""

from __future__ import annotations

from contextlib import suppress

from evaluator.files.cache_folder import cache_folder


def remember_items(digest: str) -> None:
    """Note that the file with this SHA-256 was written here."""
    with suppress(OSError):
        (cache_folder("items") / digest).touch()


def were_written_here(digest: str) -> bool:
    return (cache_folder("items") / digest).exists()
