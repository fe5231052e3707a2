"""Feature rows on disk: kept, shared between processes, and never the reason why something fails."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluator.scorers.clip.feature_cache import FeatureCache

ROWS = {f"text {n}": np.full(8, n, np.float32) for n in range(50)}


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FeatureCache:
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path))
    return FeatureCache("a model|float32")


def found(cache: FeatureCache) -> dict[str, list[float]]:
    return {key: row.tolist() for key, row in cache.find(ROWS).items()}


EVERYTHING = {key: row.tolist() for key, row in ROWS.items()}


def test_rows_come_back_as_they_were(cache: FeatureCache) -> None:
    assert found(cache) == {}
    cache.keep(dict(list(ROWS.items())[:20]))
    cache.keep(ROWS)
    assert found(cache) == EVERYTHING
    assert cache.find(["another", "text 7", "text 7", "\ud800"]).keys() == {"text 7"}


def test_another_model_has_rows_of_its_own(cache: FeatureCache) -> None:
    cache.keep(ROWS)
    assert found(FeatureCache("a model|float16")) == {}


@pytest.mark.parametrize("damage", ["no database at all", "torn", "pages of zeros"])
def test_a_damaged_file_is_begun_again(cache: FeatureCache, damage: str) -> None:
    cache.keep(ROWS)
    content = cache.path.read_bytes()
    damaged = {
        "no database at all": b"x" * 5000,
        "torn": content[: len(content) // 2],
        "pages of zeros": content[:100] + bytes(len(content) - 100),
    }
    cache.path.write_bytes(damaged[damage])
    told = found(cache)
    assert told.items() <= EVERYTHING.items()
    cache.keep(ROWS)
    cache.keep(ROWS)
    assert found(cache) == EVERYTHING


def test_a_folder_where_the_file_should_be(cache: FeatureCache) -> None:
    cache.path.mkdir()
    cache.keep(ROWS)
    assert found(cache) == {}


PROGRAM = """
import numpy as np
from evaluator.scorers.clip.feature_cache import FeatureCache
for n in range(50):
    FeatureCache("a model|float32").keep({f"text {n}": np.full(8, n, np.float32)})
"""


def test_processes_at_the_same_time(cache: FeatureCache, tmp_path: Path) -> None:
    environment = {**os.environ, "EVALUATOR_CACHE": str(tmp_path)}
    running = [subprocess.Popen([sys.executable, "-c", PROGRAM], env=environment) for _ in range(3)]
    assert [process.wait(timeout=300) for process in running] == [0, 0, 0]
    assert found(cache) == EVERYTHING
