"""How many pictures go into a batch: a number that was typed, or the most that fit into memory.

The most is found by doubling, once for each checkpoint, device, number format and number of beams, and kept
in the cache folder. On the CPU it is not looked for: there, a process that takes too much memory is killed.
"""

from __future__ import annotations

import hashlib
import logging
from contextlib import suppress
from pathlib import Path
from typing import Literal

from evaluator.core import RunsHere, Session
from evaluator.files.atomic import replace_file
from evaluator.files.cache_folder import cache_folder
from evaluator.files.json_bytes import decode_json, encode_json

logger = logging.getLogger(__name__)

USUAL = 32
MOST = 256  # more would gain little, and twice as many pictures wait in memory

Size = int | Literal["auto"]


class BatchSize:
    """The size of the next batch: it doubles up to `most`, and is halved where memory is too small.

    What was found is written to the file `kept`, if there is one.
    """

    def __init__(self, now: int, most: int, kept: Path | None = None) -> None:
        self.now, self._most, self._kept = min(now, most), most, kept
        self._is_found = most >= MOST  # where `most` fits, or is what was left after a failure

    def fitted(self, count: int) -> None:
        """A batch of so many pictures fitted."""
        if count < self.now:
            return
        if self.now < self._most:
            self.now = min(2 * self.now, self._most)
        elif self._kept and self._is_found:
            keep(self._kept, self.now)
            self._kept = None

    def failed(self, count: int) -> None:
        """A batch of so many pictures did not fit: all later ones have at most half of it."""
        self.now = self._most = max(1, count // 2)
        self._is_found = True


def batch_size(session: Session, size: Size, most: int) -> BatchSize:
    """The size for a session: what was typed, what was found earlier, or what is still to be found.

    `most` is a bound of the run, such as an equal share of its images for each device.
    """
    if size != "auto":
        return BatchSize(min(size, most), min(size, most))
    if not isinstance(session, RunsHere) or session.placement.device.startswith("cpu"):
        return BatchSize(USUAL, min(USUAL, most))
    kept = file_of(session)
    known = size_in(kept)
    if known is None:
        return BatchSize(USUAL, min(MOST, most), kept)
    logger.info("batches of %d, as was found earlier (runner.batch_size)", known)
    return BatchSize(known, min(known, most), kept)


def file_of(session: RunsHere) -> Path:
    """Where the size for a session is kept."""
    options = encode_json([vars(session.placement), session.memory_options])
    return cache_folder("batch-sizes") / f"{hashlib.sha256(options).hexdigest()[:32]}.json"


def size_in(path: Path) -> int | None:
    """The size in a file; None where there is none, or the file is damaged."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        size = decode_json(path.read_bytes())["batch_size"]
        if type(size) is int and 1 <= size <= MOST:
            return size
    return None


def keep(path: Path, size: int) -> None:
    """Write the size down. Where that fails, it is found again the next time."""
    with suppress(OSError):
        replace_file(path, encode_json({"batch_size": size}) + b"\n")
