"""The folder that keeps features, replies and prepared data between runs. It may be deleted at any time.

It is $EVALUATOR_CACHE, else $XDG_CACHE_HOME/evaluator, else ~/.cache/evaluator (XDG Base Directory
Specification). Where that cannot be written, a temporary folder is used until the program ends.
"""

from __future__ import annotations

import logging
import os
import tempfile
from functools import cache
from pathlib import Path


def cache_folder(*parts: str) -> Path:
    """The folder with these names inside the cache, created where it is missing."""
    wanted = chosen_folder().joinpath(*parts)
    try:
        chosen_folder().mkdir(0o700, parents=True, exist_ok=True)  # answers and captions are private
        wanted.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=wanted):
            return wanted
    except OSError as error:
        folder = Path(_temporary(chosen_folder(), error.strerror or str(error)).name, *parts)
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def chosen_folder() -> Path:
    """Where the cache should be, whether or not it can be written there."""
    if chosen := os.environ.get("EVALUATOR_CACHE"):
        return Path(os.path.expanduser(chosen))
    base = os.environ.get("XDG_CACHE_HOME", "")
    # The specification says to ignore a relative path.
    return (Path(base) if os.path.isabs(base) else Path(os.path.expanduser("~/.cache"))) / "evaluator"


@cache
def _temporary(root: Path, reason: str) -> tempfile.TemporaryDirectory[str]:
    """Created once, so that a program warns once; removed when the program ends."""
    folder = tempfile.TemporaryDirectory(prefix="evaluator-")
    logging.getLogger(__name__).warning(
        "The cache folder %s cannot be written (%s): %s is used until the program ends. "
        "Set EVALUATOR_CACHE to a folder that can be written",
        *(root, reason, folder.name),
    )
    return folder
