from __future__ import annotations

import logging
from pathlib import Path

import pytest

from evaluator.files.cache_folder import cache_folder


@pytest.fixture(autouse=True)
def no_choice_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("EVALUATOR_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_the_home_folder_is_the_last_choice(tmp_path: Path) -> None:
    assert cache_folder("a", "b") == tmp_path / "home" / ".cache" / "evaluator" / "a" / "b"
    assert cache_folder("a", "b").is_dir()


def test_xdg_comes_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "evaluator"


@pytest.mark.parametrize("value", ["", "relative/folder"])
def test_an_empty_or_relative_xdg_folder_is_passed_over(
    value: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", value)
    assert cache_folder() == tmp_path / "home" / ".cache" / "evaluator"


def test_our_own_variable_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("EVALUATOR_CACHE", "~/mine")
    assert cache_folder("features") == tmp_path / "home" / "mine" / "features"


def test_a_folder_that_cannot_be_written_warns_once_and_another_serves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "file" / "cache"))
    with caplog.at_level(logging.WARNING):
        folder = cache_folder("features")
        assert cache_folder("replies").parent == folder.parent
    (folder / "kept").write_text("until the program ends")
    assert cache_folder("features") == folder
    assert (folder / "kept").exists()
    assert tmp_path not in folder.parents or "file" not in folder.parts
    [record] = caplog.records
    assert str(tmp_path / "file" / "cache") in record.getMessage()
    assert "EVALUATOR_CACHE" in record.getMessage()
