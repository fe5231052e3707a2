"""Arrays on disk: what is kept, what is left of broken writes, how much room they take."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from evaluator.scorers import array_files
from evaluator.scorers.array_files import read_arrays, write_arrays

NUMBERS = {"numbers": np.arange(1000)}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path))
    (tmp_path / "some").mkdir()
    return tmp_path / "some"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays(np.int64, st.integers(0, 5)), arrays(np.uint8, st.integers(0, 5)))
def test_what_is_written_is_read(folder: Path, numbers: np.ndarray, signs: np.ndarray) -> None:
    write_arrays("some", "key", {"numbers": numbers, "signs": signs})
    found = read_arrays("some", "key")
    assert found is not None
    assert found["numbers"].dtype == np.int64
    assert found["numbers"].tolist() == numbers.tolist()
    assert found["signs"].tolist() == signs.tolist()


def test_the_least_recently_used_go_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for age, key in ((30, "a"), (20, "b"), (10, "c")):
        write_arrays("some", key, NUMBERS)
        os.utime(folder / f"{key}.npz", (time.time() - age,) * 2)
    assert read_arrays("some", "a") is not None  # used now
    size = (folder / "a.npz").stat().st_size
    monkeypatch.setattr(array_files, "BYTES_AT_MOST", 3 * size)
    write_arrays("some", "d", NUMBERS)
    assert sorted(path.stem for path in folder.iterdir()) == ["a", "c", "d"]


def test_what_a_killed_process_left_goes_in_time(folder: Path) -> None:
    (folder / ".writing-old").write_bytes(b"half")
    (folder / ".writing-new").write_bytes(b"half")
    os.utime(folder / ".writing-old", (time.time() - 7200,) * 2)
    write_arrays("some", "key", NUMBERS)
    assert sorted(path.name for path in folder.iterdir()) == [".writing-new", "key.npz"]


def test_a_full_disk_is_no_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    write_arrays("some", "key", NUMBERS)
    assert read_arrays("some", "key") is None
    assert list(folder.iterdir()) == []


def test_a_file_under_another_name_is_not_believed(folder: Path) -> None:
    write_arrays("some", "key", NUMBERS)
    (folder / "key.npz").rename(folder / "other.npz")
    assert read_arrays("some", "other") is None
