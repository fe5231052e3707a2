"""What METEOR knows of English: read once, kept, and made again where it is damaged."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from evaluator.core.errors import MetricError
from evaluator.scorers.meteor15 import language as module
from evaluator.scorers.meteor15.installed_files import InstalledFiles
from evaluator.scorers.meteor15.language import Language, load_language, paraphrases


def table_file(folder: Path, *rows: tuple[str, str]) -> Path:
    path = folder / "table.gz"
    path.write_bytes(gzip.compress("".join(f"0.5\n{one}\n{two}\n" for one, two in rows).encode()))
    return path


def test_rows_of_one_phrase_stand_together_in_their_order(tmp_path: Path) -> None:
    rows = [("a b", "c"), ("d", "a"), ("a b", "a"), ("d", "c d e"), ("a b", "c")]
    words, table = paraphrases(table_file(tmp_path, *rows))
    assert sorted(words) == ["a", "b", "c", "d", "e"]
    node: dict[tuple[str, ...], int] = {}
    text = [words.index(word) for word in "abcde"]
    found = table.phrases(np.array(text), np.zeros(5, np.int64))
    for place, start, length in zip(*map(np.ndarray.tolist, found), strict=True):
        node[tuple("abcde"[start : start + length])] = place
    pairs = table.pairs(np.array(list(node.values())))
    names = {number: " ".join(phrase) for phrase, number in node.items()}
    read = [(names[one], names[two]) for one, two, _ in zip(*map(np.ndarray.tolist, pairs), strict=True)]
    assert sorted(read) == sorted(rows)
    for source in ("a b", "d"):
        assert [row for row in read if row[0] == source] == [row for row in rows if row[0] == source]


def test_the_installed_lists(language: Language) -> None:
    assert {"the", "of", "a", "on"} <= language.function_words
    assert language.abbreviations["Mr"] == module.ANYWHERE
    assert language.abbreviations["No"] == module.BEFORE_NUMBERS
    assert language.synonyms.of("car") & language.synonyms.of("automobile")
    assert language.synonyms.of("geese") == language.synonyms.of("goose")
    assert language.synonyms.of("xyzzy") == frozenset()
    assert len(language.phrases.targets) == 5_274_084


def test_a_second_start_reads_what_the_first_one_kept(
    language: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_language.cache_clear()
    monkeypatch.setattr(module, "prepared", None)
    again = load_language()
    assert isinstance(again.phrases.targets, np.memmap)
    assert np.array_equal(again.phrases.targets[:1000], language.phrases.targets[:1000])
    assert again.words == language.words


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The real lists, with three paraphrases instead of five million, and an empty cache."""
    installed = InstalledFiles.find()
    rows = [("in front of", "before"), ("close up", "closeup"), ("a", "one")]
    files = InstalledFiles(installed.jar, table_file(tmp_path, *rows))
    monkeypatch.setattr(InstalledFiles, "find", lambda: files)
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    load_language.cache_clear()
    yield tmp_path / "cache" / "meteor"
    load_language.cache_clear()


@pytest.mark.parametrize("damage", ["torn", "missing", "foreign", "empty"])
def test_a_damaged_folder_is_made_again(small: Path, damage: str) -> None:
    expected = load_language()
    (folder,) = small.iterdir()
    path = folder / "targets.npy"
    if damage == "missing":
        path.unlink()
    else:
        content = {"torn": path.read_bytes()[:-3], "foreign": b"x" * 99, "empty": b""}[damage]
        path.unlink()
        path.write_bytes(content)
    load_language.cache_clear()
    again = load_language()
    assert np.array_equal(again.phrases.targets, expected.phrases.targets)
    assert list(small.iterdir()) == [folder]


def test_a_folder_that_cannot_be_written_costs_time_alone(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module.np, "save", full)
    assert len(load_language().phrases.targets) == 3


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MetricError, match="pip install 'pycocoevalcap"):
        InstalledFiles.find()


def test_a_missing_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Found:
        submodule_search_locations = (str(tmp_path),)

    monkeypatch.setattr("importlib.util.find_spec", lambda _: Found)
    with pytest.raises(MetricError, match=r"meteor-1\.5\.jar.*--force-reinstall"):
        InstalledFiles.find()
