"""`evaluator arena results`: from a file of votes to a table."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

VOTES = "image,a,b,winner,rater\n" + "".join(
    f"{n},x,y,{'b' if n % 4 == 0 else 'a'},anna\n{n},y,z,{'a' if n % 3 else 'both_bad'},ben\n"
    for n in range(24)
)


@pytest.fixture
def votes(tmp_path: Path) -> Path:
    path = tmp_path / "votes.csv"
    path.write_text(VOTES)
    return path


def test_json_is_a_list_ordered_by_rating(command, votes: Path) -> None:  # type: ignore[no-untyped-def]
    rows = json.loads(command("arena", "results", votes, "--format", "json").stdout)
    assert [row["system"] for row in rows] == ["x", "y", "z"]
    for row in rows:
        assert row["low"] <= row["rating"] <= row["high"]
    assert [row["votes"] for row in rows] == [24, 48, 24]
    assert [row["both_bad"] for row in rows] == [0, 8, 8]


def test_the_terminal_says_what_is_separated(command, votes: Path) -> None:  # type: ignore[no-untyped-def]
    shown = command("arena", "results", votes, "--matrix").stdout
    assert "Bradley-Terry ratings: 48 votes, 24 images, 2 raters" in shown
    assert "Intervals (95 %) resample images; the raters are taken as they are." in shown
    assert "y is better than z by" in shown
    assert "75 %" in shown  # x against y: 18 of 24


@pytest.mark.parametrize("form", ["markdown", "latex", "html", "csv"])
def test_every_format(command, votes: Path, form: str) -> None:  # type: ignore[no-untyped-def]
    shown = command("arena", "results", votes, "--format", form).stdout
    assert shown.count("\n") >= 4
    if form == "csv":
        assert [row["system"] for row in csv.DictReader(io.StringIO(shown))] == ["x", "y", "z"]


def test_a_wrong_line_is_a_mistake(command, votes: Path) -> None:  # type: ignore[no-untyped-def]
    votes.write_text(VOTES + "1,x,x,a,anna\n")
    result = command("arena", "results", votes)
    assert result.returncode == 2
    assert "votes.csv: line 50: a and b are the same system, 'x'" in result.stderr
