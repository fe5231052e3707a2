"""JSON that others wrote: each mistake is reported with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evaluator.core.errors import DataError
from evaluator.files import json_input
from evaluator.files.json_input import checked, checked_entries, describe, image_id, read_json


def test_a_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"\xef\xbb\xbf" + '{"a": "\u00e9"}'.encode())
    assert read_json(path) == {"a": "\u00e9"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1,\n "b": }', ["line 2, column 7"]),
        (b"", ["line 1, column 1"]),
        (b'[{"image_id": 1}', ["line 1, column 17"]),
        ('["caf\u00e9"]'.encode("latin-1"), ["byte 5", "UTF-8"]),
        ('["a"]'.encode("utf-16"), ["byte 0", "UTF-8"]),
        (b"[" * 100_000, ["cannot be read as JSON"]),
        (b"9" * 5_000, ["cannot be read as JSON"]),
    ],
)
def test_what_is_not_json_is_reported_with_its_place(
    tmp_path: Path, content: bytes, expected: list[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(DataError) as raised:
        read_json(path)
    for words in (str(path), *expected):
        assert words in str(raised.value)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"none\.json: there is no such file"):
        read_json(tmp_path / "none.json")
    with pytest.raises(DataError, match="this is a folder"):
        read_json(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="cannot be read: Not a directory"):
        read_json(tmp_path / "file" / "a.json")


@pytest.mark.parametrize(
    ("document", "shape", "message"),
    [
        (3, list[str], "a.json: expected a list, found 3"),
        ([["a"], "b"], list[list[str]], "a.json: [1]: expected a list, found 'b'"),
        ({"a": {"b": None}}, dict[str, dict[str, str]], "a.json: a.b: expected text, found null"),
        ([1.5], list[int | str], "a.json: [0]: expected a whole number or text, found 1.5"),
        ([True], list[int | str], "a.json: [0]: expected a whole number or text, found true"),
        (["a"], list[float], "a.json: [0]: Input should be a valid number, found 'a'"),
    ],
)
def test_a_value_of_another_type_is_named(document: Any, shape: Any, message: str) -> None:
    with pytest.raises(DataError) as raised:
        checked(document, shape, "a.json")
    assert str(raised.value) == message


def test_values_are_described_in_the_words_of_json() -> None:
    described = [describe(value) for value in (None, {}, {"a": 1}, [1, 2], "x" * 41, True, 1.5)]
    assert described == [
        "null",
        "an empty object",
        "an object with 'a'",
        "a list of 2",
        f"'{'x' * 40}...'",
        "true",
        "1.5",
    ]
    assert describe(dict.fromkeys("abcdefg")) == "an object with 'a', 'b', 'c', 'd', 'e', 'f', ..."


def test_an_id_is_the_same_as_a_number_and_as_text() -> None:
    assert image_id(42) == image_id("42") == "42"
    assert image_id("flickr/12.jpg") == "flickr/12.jpg"
    assert image_id("\u00e9") == "\u00e9"
    with pytest.raises(DataError, match=r"a\.json: \[0\]\.id: the image id is empty"):
        image_id("", "a.json", 0, "id")


def test_a_long_list_is_checked_in_parts_and_its_mistakes_keep_their_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(json_input, "ENTRIES_AT_ONCE", 2)
    rows: list[dict[str, Any]] = [{"caption": f"caption {number}"} for number in range(5)]
    assert list(checked_entries(rows, dict[str, str], "a.json", "rows")) == rows
    with pytest.raises(DataError, match=r"a\.json: rows\[3\]\.caption: expected text, found null"):
        list(checked_entries([*rows[:3], {"caption": None}], dict[str, str], "a.json", "rows"))
    with pytest.raises(DataError, match="expected a list under 'rows', found an object with 'a'"):
        list(checked_entries({"a": 1}, dict[str, str], "a.json", "rows"))
