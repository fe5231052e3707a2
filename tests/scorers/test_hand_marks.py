"""`marked good`: the share of good captions among those that somebody marked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evaluator.core import Item
from evaluator.core.errors import MetricError
from evaluator.scorers.hand_marks import HandMarks
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run

ITEMS = [Item(str(number), None, ("a reference",)) for number in range(5)]
CAPTIONS = ["a dog", "a \x07cat", "a bus", "a tree", "a red wall"]


def marks_file(folder: Path, *marks: tuple[str, str, str, str]) -> Path:
    path = folder / "marks.jsonl"
    lines = (
        {"run": "a run", "image": image, "mark": mark, "note": note, "caption": caption}
        for image, caption, mark, note in marks
    )
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def test_a_mark_is_of_what_is_said_about_an_image(tmp_path: Path) -> None:
    file = marks_file(
        tmp_path,
        ("0", "a dog", "bad", ""),
        ("0", "a dog", "good", ""),  # the last one counts
        ("1", "a ␇cat", "bad", "no cat"),  # as a page shows it
        ("2", "a car", "good", "of an earlier caption"),
        ("3", "a tree", "", "a note alone is no score"),
    )
    (measured,) = HandMarks(file).score(ITEMS, CAPTIONS)
    assert measured.statistics.tolist() == [[1, 1], [0, 1], [0, 0], [0, 0], [0, 0]]
    assert measured.value == 0.5
    assert measured.scored.sum() == 2
    assert measured.notes == ["", "no cat", "", "a note alone is no score", ""]
    assert measured.signature.options["images"] == "5"
    earlier = measured.signature
    file.write_text(file.read_text().replace('"bad"', '"good"'))
    (changed,) = HandMarks(file).score(ITEMS, CAPTIONS)
    assert changed.value == 1.0
    assert changed.signature.recipe != earlier.recipe  # of other marks


def test_without_a_mark_there_is_no_score(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match="Type --marks FILE"):
        HandMarks().score(ITEMS, CAPTIONS)
    file = marks_file(tmp_path, ("0", "a cat", "good", ""))
    with pytest.raises(MetricError, match="marks no caption as good or bad that this run has"):
        HandMarks(file).score(ITEMS, CAPTIONS)


def test_by_the_command(command: Callable[..., Any], tmp_path: Path) -> None:
    """The score lies beside the others, says how many captions are marked, and stays."""
    said = {str(number): f"a dog {number}" for number in range(12)}
    runs = [
        scored_run(
            tmp_path / name, {key: f"{text} {name}" for key, text in said.items()}, {"CIDEr": [0.5] * 12}
        )
        for name in ("git", "blip")
    ]
    good = {"git": 8, "blip": 2}
    marks_file(
        tmp_path,
        *(
            (str(number), f"a dog {number} {name}", "good" if number < good[name] else "bad", "why")
            for name in good
            for number in range(10)
        ),
    )
    done = command("score", "git", "blip", "--marks", "marks.jsonl")
    assert done.returncode == 0, done.stderr
    assert "marked good of git and blip cover 10 of 12 captions" in " ".join(done.stdout.split())
    results = [RunFolder.existing(run).load().results for run in runs]
    scores = [next(one for one in of_run.scores if one.name == "marked good") for of_run in results]
    assert [(score.value, score.images) for score in scores] == [(0.8, 10), (0.2, 10)]
    assert (scores[0].low, scores[0].high) == pytest.approx((0.490162, 0.943318), abs=1e-6)  # Wilson's
    assert {score.name for score in results[0].scores} == {"CIDEr", "marked good"}
    assert RunFolder.existing(runs[0]).load().measurements["marked good"].notes[0] == "why"
    # Scoring anew keeps it.
    assert command("score", "git").returncode == 0
    assert "marked good" in RunFolder.existing(runs[0]).load().measurements
    (tmp_path / "wrong.jsonl").write_text("{}")
    for arguments, problem in (
        (["git", "--marks", "wrong.jsonl"], "'run' is missing"),
        (["marks.jsonl", "--marks", "marks.jsonl"], "--marks scores run folders"),
    ):
        done = command("score", *arguments)
        assert done.returncode == 2
        assert problem in done.stderr
