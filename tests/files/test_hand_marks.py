"""Marks that the report exported are read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluator.core.errors import DataError
from evaluator.files.hand_marks import HandMark, read_marks


def line(**changes: Any) -> str:
    return json.dumps(
        {"run": "git", "image": "1", "mark": "good", "note": "", "caption": "a dog"} | changes,
        ensure_ascii=False,
    )


def test_a_line_is_a_mark(tmp_path: Path) -> None:
    path = tmp_path / "marks.jsonl"
    lines = [line(), "", line(image=42, mark="", note="why\u2028not", caption="a\nb")]
    path.write_text("\n".join(lines), encoding="utf-8-sig")
    assert read_marks(path) == [
        HandMark("git", "1", "good", "", "a dog"),
        HandMark("git", "42", "", "why\u2028not", "a\nb"),
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (line(mark="great"), "line 1: a mark is good or bad, found 'great'"),
        (line() + "\n" + line(note=None), "line 2: note: expected text, found null"),
        ("{]", "line 1, column 2"),
        ("[1]", "line 1"),
        ('{"run": "git"}', "'image' is missing"),
        (line(image=""), "the image id is empty"),
    ],
)
def test_another_file_says_where_it_is_wrong(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "marks.jsonl"
    path.write_text(content)
    with pytest.raises(DataError) as found:
        read_marks(path)
    assert problem in str(found.value)
