"""Objects that runs invent and miss most often: counted from CHAIR's own notes, and shown."""

from __future__ import annotations

import json
from pathlib import Path

from evaluator.comparison.compare import compare
from evaluator.comparison.objects import object_counts
from evaluator.config.settings import Settings
from evaluator.core import Item
from evaluator.report.summary import summarize
from evaluator.report.text.comparison import as_json, markdown
from evaluator.scorers.chair import CHAIR
from evaluator.scoring import score
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run

ITEMS = [
    Item("1", None, ("a dog on a sofa",), ("dog",)),
    Item("2", None, ("a dog",), ("dog", "tv")),
    Item("3", None, ("a red bus",), ("bus",)),
]
CAPTIONS = {
    "git": {"1": "a dog and a cat with a cat", "2": "a cat", "3": "a bus and a hot dog"},
    "blip": {"1": "a dog on a couch", "2": "a dog with a tv", "3": "a bus"},
}


def test_what_each_run_invents_and_misses(tmp_path: Path) -> None:
    runs = []
    for name, captions in CAPTIONS.items():
        run = RunFolder(scored_run(tmp_path / name, captions, {}, ITEMS)).load()
        runs.append(score(run, {"chair": CHAIR()}, Settings()))
    comparison = compare([RunFolder(run.path).load() for run in runs])
    git, blip = (object_counts(comparison, row) for row in comparison.rows)
    assert git is not None
    assert blip is not None
    assert list(git.invented.items()) == [("cat", 2), ("hot dog", 1)]
    assert list(git.missed.items()) == [("couch", 1), ("dog", 1), ("tv", 1)]
    assert (blip.invented, blip.missed) == ({}, {})
    assert "| git | cat 2, hot dog 1 | couch 1, dog 1, tv 1 |" in markdown(comparison)
    assert (
        "Objects that captions invent most often, and in how many: git cat (2) and hot dog (1)."
        in summarize(comparison).details
    )
    documents = json.loads(as_json(comparison))["runs"]
    assert [document["objects"]["invented"] for document in documents] == [{"cat": 2, "hot dog": 1}, {}]


def test_runs_without_chair_have_no_objects(tmp_path: Path) -> None:
    comparison = compare([scored_run(tmp_path / "git", {"1": "a dog"}, {"CIDEr": [1.0]})])
    assert object_counts(comparison, comparison.rows[0]) is None
    assert "invented" not in markdown(comparison)
