"""What scorers say about single captions is kept with the scores, and belongs to the same scoring."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from evaluator.comparison.compare import compare
from evaluator.config.settings import Settings
from evaluator.core import Item, Measurement, Scorer, Signature
from evaluator.core.errors import StoreError
from evaluator.scorers.bleu import BLEU
from evaluator.scorers.chair import CHAIR
from evaluator.scoring import score
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run

ITEMS = [Item(str(n), None, ("a dog", "a puppy"), ("dog", "couch")) for n in range(4)]
TEXTS = {"0": "a dog and a cat", "1": "a dog on a couch", "2": "a zebra", "3": "nothing here"}


def made(path: Path, texts: dict[str, str] = TEXTS, **scorers: Scorer) -> Path:
    run = RunFolder(scored_run(path, texts, {}, ITEMS)).load()
    score(run, scorers or {"chair": CHAIR()}, Settings(resamples=5))
    return path


def notes(path: Path, metric: str) -> list[str]:
    return list(RunFolder(path).load().measurements[metric].notes)


def test_notes_are_read_back(tmp_path: Path) -> None:
    path = made(tmp_path / "run")
    assert notes(path, "CHAIR-i") == ["invented: cat", "", "invented: zebra", ""]
    assert notes(path, "object recall") == ["missed: couch", "", "missed: couch, dog", "missed: couch, dog"]
    assert notes(path, "CHAIR-s") == []


def test_another_metric_leaves_the_notes(tmp_path: Path) -> None:
    path = made(tmp_path / "run")
    score(RunFolder(path).load(), {"bleu": BLEU()}, Settings(resamples=5))
    assert notes(path, "CHAIR-i") == ["invented: cat", "", "invented: zebra", ""]


def test_a_scoring_without_notes_leaves_no_file(tmp_path: Path) -> None:
    assert not (made(tmp_path / "run", bleu=BLEU()) / "notes.json").exists()


def test_notes_follow_their_images_into_a_comparison(tmp_path: Path) -> None:
    less = {name: text for name, text in TEXTS.items() if name in "23"}
    compared = compare([made(tmp_path / "a"), made(tmp_path / "b", less)])
    assert list(compared.pairs.measurements[0]["CHAIR-i"].notes) == ["invented: zebra", ""]


@pytest.mark.parametrize(
    "content",
    ["[]", '{"scoring": "of another", "notes": {}}', '{"scoring": 1}', '{"notes": {"CHAIR-i": 3}}', "{"],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: str) -> None:
    path = made(tmp_path / "run")
    (path / "notes.json").write_text(content)
    with pytest.raises(StoreError, match=r"notes\.json"):
        notes(path, "CHAIR-i")
    score(RunFolder(path).load(), {"chair": CHAIR()}, Settings(resamples=5))
    assert notes(path, "CHAIR-i")[0] == "invented: cat"


def test_notes_of_unknown_images_and_metrics_are_ignored(tmp_path: Path) -> None:
    path = made(tmp_path / "run")
    document = json.loads((path / "notes.json").read_bytes())
    document["notes"] = {"CHAIR-s": {"7": "x", "1": "so"}, "Mine": {"1": "x"}}
    (path / "notes.json").write_text(json.dumps(document))
    assert notes(path, "CHAIR-s") == ["", "so", "", ""]


def test_a_note_per_row_or_none() -> None:
    with pytest.raises(ValueError, match="m has 2 rows and 1 notes"):
        Measurement("m", np.ones((2, 2)), "mean", Signature("m"), notes=["why"])
