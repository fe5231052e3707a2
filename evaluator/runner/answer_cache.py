"""The cache of paid answers: one SQLite file, shared by all runs and safe with several processes.

The key is a digest of everything that decides an answer, including the picture's bytes. So the same question
is never paid for twice, whichever run asks it. Answers and final refusals are kept, failures never. A run
records its captions first: the cache is an accessory, and whatever goes wrong with it costs no answer.
"""

from __future__ import annotations

import hashlib
import json
import logging
import sqlite3
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from evaluator.core import Caption, Outcome, Reply, TokenChoice
from evaluator.core.errors import StoreError
from evaluator.files.cache_folder import cache_folder

logger = logging.getLogger(__name__)

FORMAT_VERSION = 1
PATIENCE_SECONDS = 5.0  # how long a run waits for a process that holds the lock of the cache
NO_CACHE = (
    "the cache of answers cannot be used (%s): this run continues without it, and loses nothing. "
    "Free some disk space, or type cache=off"
)
# What SQLite raises, and what a row that cannot be read or written does.
NOT_USABLE = (sqlite3.Error, ValueError, TypeError)
DAY_SECONDS = 86_400.0
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, outcome TEXT NOT NULL, reply TEXT, error TEXT NOT NULL,
    cost_usd REAL, written_at REAL NOT NULL, uses INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID
"""


class Statistics(NamedTuple):
    """How many answers of one model the cache holds, and how much money they saved."""

    model: str
    answers: int
    uses: int
    saved_usd: float


@dataclass(frozen=True)
class ResponseCache:
    """An open cache."""

    connection: sqlite3.Connection

    def get(self, key: str) -> Caption | None:
        """The answer with this key, as a caption without an item id; counts one use."""
        row = self.connection.execute(
            "SELECT outcome, reply, error FROM answers WHERE key = ?", (key,)
        ).fetchone()
        if row is None:  # the usual case, and reading takes no lock
            return None
        with suppress(sqlite3.OperationalError):  # on a full disk there is still an answer, and no count
            self.connection.execute("UPDATE answers SET uses = uses + 1 WHERE key = ?", (key,))
        outcome, answer, error = row
        reply = reply_from(json.loads(answer)) if answer else None
        return Caption("", Outcome(outcome), reply, error, attempts=0, cost_usd=0.0, source="cache")

    def put(self, key: str, model: str, caption: Caption) -> None:
        """Keep an answer or a final refusal; replaces an older one. Raises ValueError for a failure."""
        if caption.outcome.can_be_retried:
            raise ValueError(f"{caption.outcome} is not an answer")
        reply = json.dumps(asdict(caption.reply)) if caption.reply else None
        self.connection.execute(
            "INSERT OR REPLACE INTO answers (key, model, outcome, reply, error, cost_usd, written_at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (key, model, str(caption.outcome), reply, caption.error, caption.cost_usd, time.time()),
        )

    def statistics(self) -> list[Statistics]:
        """One row per model, the model with the most answers first."""
        rows = self.connection.execute(
            "SELECT model, COUNT(*), SUM(uses), SUM(uses * COALESCE(cost_usd, 0)) "
            "FROM answers GROUP BY model ORDER BY COUNT(*) DESC, model"
        )
        return [Statistics(*row) for row in rows]

    def prune(self, older_than_days: float | None = None, model: str | None = None) -> int:
        """Delete the answers that pass both filters and free their space. Returns their number."""
        before = time.time() - (older_than_days or 0.0) * DAY_SECONDS
        deleted = self.connection.execute(
            "DELETE FROM answers WHERE written_at <= ? AND (? IS NULL OR model = ?)", (before, model, model)
        ).rowcount
        self.connection.execute("VACUUM")
        self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted


def reply_from(document: dict[str, Any]) -> Reply:
    choices = (TokenChoice(**choice) for choice in document.pop("token_choices", ()))
    return Reply(**document, token_choices=tuple(choices))


def cache_path() -> Path:
    return cache_folder("answers") / f"answers-{FORMAT_VERSION}.sqlite"


@contextmanager
def response_cache(path: Path, patience_seconds: float = 60.0) -> Iterator[ResponseCache]:
    """The cache in this file, which is created if needed. Raises StoreError if it cannot be used.

    Another process may hold its lock for `patience_seconds`.
    """
    try:
        # In a notebook another thread uses the connection, but never two threads at once.
        connection = sqlite3.connect(
            path, timeout=patience_seconds, isolation_level=None, check_same_thread=False
        )
        with closing(connection):
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(SCHEMA)
            yield ResponseCache(connection)
    except sqlite3.Error as error:
        raise StoreError(
            f"the cache of answers {path} cannot be used ({error}). All captions so far are saved. "
            "Free some disk space, or type cache=off to run without the cache, or delete that file"
        ) from error


class CarefulCache:
    """A cache that ends no run: the first thing that goes wrong is one warning, and the end of its use."""

    def __init__(self, cache: ResponseCache | None) -> None:
        self._cache = cache

    def get(self, key: str) -> Caption | None:
        try:
            return self._cache.get(key) if self._cache else None
        except NOT_USABLE as error:
            self._give_up(error)
            return None

    def put(self, key: str, model: str, caption: Caption) -> None:
        try:
            if self._cache:
                self._cache.put(key, model, caption)
        except NOT_USABLE as error:
            self._give_up(error)

    def _give_up(self, error: Exception) -> None:
        self._cache = None
        logger.warning(NO_CACHE, error)


@contextmanager
def careful_cache(path: Path) -> Iterator[CarefulCache]:
    """The cache in this file, or after one warning none."""
    with ExitStack() as stack:
        try:
            cache = stack.enter_context(response_cache(path, PATIENCE_SECONDS))
        except StoreError as error:
            logger.warning(NO_CACHE, error.__cause__)
            yield CarefulCache(None)
        else:
            yield CarefulCache(cache)


@contextmanager
def cache_for(use: str) -> Iterator[CarefulCache]:
    """The user's cache, or none where its use is `off`."""
    if use == "off":
        yield CarefulCache(None)
    else:
        with careful_cache(cache_path()) as cache:
            yield cache


def key_of(question: Mapping[str, Any]) -> str:
    """A digest of everything that decides an answer. Raises TypeError for what JSON cannot hold."""
    return hashlib.sha256(json.dumps(question, sort_keys=True).encode()).hexdigest()
