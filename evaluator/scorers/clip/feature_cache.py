"""Feature rows on disk, so that a picture or a reference is encoded once for each checkpoint.

>>> rows = FeatureCache("a model")
>>> rows.keep({"a cat": np.array([0.5, 1.0], np.float32)})
>>> {key: row.tolist() for key, row in rows.find(["a cat", "a dog"]).items()}
{'a cat': [0.5, 1.0]}

One SQLite file a model, which any number of processes may use at once. A file that is damaged is deleted and
begun again: all of it can be made again.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluator.files.cache_folder import cache_folder

Row = NDArray[np.float32]

SECONDS_FOR_OTHERS = 60.0  # to wait for a process that is writing

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FeatureCache:
    """The rows of one model; `model` names everything that changes them.

    What SQLite cannot do here (a full disk, a damaged file) costs time, and never the scores.
    """

    model: str

    def find(self, keys: Iterable[str]) -> dict[str, Row]:
        """The cached rows of these keys."""
        rows: dict[str, Row] = {}
        try:
            with contextlib.closing(self._open()) as database:
                for key in dict.fromkeys(keys):
                    row = database.execute("SELECT row FROM rows WHERE key = ?", (_digest(key),)).fetchone()
                    if row:
                        rows[key] = np.frombuffer(row[0], np.float32)
        except sqlite3.DatabaseError as error:
            self._do_without(error)
        return rows

    def keep(self, rows: Mapping[str, Row]) -> None:
        """Add rows, all of them or none."""
        values = [(_digest(key), row.astype(np.float32).tobytes()) for key, row in rows.items()]
        try:
            with contextlib.closing(self._open()) as database, database:
                database.executemany("INSERT OR REPLACE INTO rows VALUES (?, ?)", values)
        except sqlite3.DatabaseError as error:
            self._do_without(error)

    @property
    def path(self) -> Path:
        return cache_folder("features") / f"{_digest(self.model).hex()}.sqlite"

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self.path, timeout=SECONDS_FOR_OTHERS)
        try:
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute("CREATE TABLE IF NOT EXISTS rows (key BLOB PRIMARY KEY, row BLOB) WITHOUT ROWID")
        except sqlite3.Error:
            database.close()
            raise
        return database

    def _do_without(self, error: sqlite3.DatabaseError) -> None:
        logger.debug("%s: %s", self.path, error)
        if not isinstance(error, sqlite3.OperationalError):  # no database, or a malformed one
            self.path.unlink(missing_ok=True)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
