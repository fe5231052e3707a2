"""CLIPScore by the sentence, and how many captions are longer than the text encoder reads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluator.comparison.compare import compare
from evaluator.config.settings import Settings
from evaluator.core import Item
from evaluator.core.errors import MetricError
from evaluator.report.leaderboard import cut_off_notes
from evaluator.scorers.clip import features as clip_features
from evaluator.scorers.clipscore import CLIPScore
from evaluator.scorers.clipscore_sentences import CLIPScoreSentences
from evaluator.scoring import score
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run
from tests.scorers.small_clip import pictures_with_references, save_small_clip

pytest.importorskip("torch")
pytest.importorskip("transformers")

# A byte is a token, and "A photo depicts" takes 13: so 62 letters fit.
LONG = "x" * 40 + ". " + "y" * 40 + "."


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_small_clip(tmp_path_factory.mktemp("clip"))


@pytest.fixture
def items(tmp_path: Path) -> list[Item]:
    return pictures_with_references(tmp_path)


def test_the_mean_of_the_sentences_clipscores(checkpoint: Path, items: list[Item]) -> None:
    captions = ["A dog. It sleeps on Mr. Lee!", "two cats", "", "One.\nTwo.\nThree.", "...", "a dog"]
    parts = [["A dog.", "It sleeps on Mr. Lee!"], ["two cats"], [""], ["One.", "Two.", "Three."], ["..."]]
    alone = CLIPScore(str(checkpoint))
    expected = [
        np.mean([alone.score([item], [part])[0].value for part in of_caption])
        for item, of_caption in zip(items, [*parts, ["a dog"]], strict=True)
    ]
    (measured,) = CLIPScoreSentences(str(checkpoint)).score(items, captions)
    assert measured.name == "CLIPScore-sentences"
    assert measured.per_image == pytest.approx(np.array(expected), abs=1e-5)
    assert measured.signature.startswith(f"CLIPScore-sentences|checkpoint:{checkpoint.name}|")


def test_a_picture_that_cannot_be_read_is_not_scored(checkpoint: Path, items: list[Item]) -> None:
    broken = [replace(items[0], image=None), *items[1:3]]
    (measured,) = CLIPScoreSentences(str(checkpoint)).score(broken, ["A dog. A cat.", "One. Two.", "x"])
    assert measured.scored.tolist() == [False, True, True]
    with pytest.raises(MetricError, match="CLIPScore-sentences needs the pictures"):
        CLIPScoreSentences(str(checkpoint)).score(broken[:1], ["a dog"])


def test_pictures_are_shared_with_clipscore(
    checkpoint: Path, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    CLIPScore(str(checkpoint)).score(items[:2], ["a", "b"])
    monkeypatch.setattr(clip_features.Encoder, "_decode", None)  # no picture is read again
    CLIPScoreSentences(str(checkpoint)).score(items[:2], ["A. B.", "c"])


def test_captions_that_are_cut_off_are_counted_stored_and_shown(
    checkpoint: Path, items: list[Item], tmp_path: Path
) -> None:
    items = items[:3]
    captions = dict(zip([item.id for item in items], [LONG, "a dog", "z" * 200], strict=True))
    run = RunFolder(scored_run(tmp_path / "llm", captions, {}, items)).load()
    scorers = {"clip": CLIPScore(str(checkpoint)), "by_sentence": CLIPScoreSentences(str(checkpoint))}
    score(run, scorers, Settings())
    stored = json.loads((tmp_path / "llm" / "scores.json").read_text())["scores"]
    assert {name: one["cut_off"] for name, one in stored.items()} == {
        "CLIPScore": 2,
        "RefCLIPScore": 1,  # the first image has no reference
        "CLIPScore-sentences": 1,
    }
    comparison = compare([tmp_path / "llm"])
    notes = comparison.pairs.measurements[0]["CLIPScore"].notes
    assert [note.partition(" of ")[0] for note in notes] == ["cut off after 77", "", "cut off after 77"]
    unread, longer = "captions are not read, since", "are longer than the text encoder can read"
    advice = "; CLIPScore-sentences reads them by the sentence."
    assert list(cut_off_notes(comparison)) == [
        f"CLIPScore of llm: the ends of 2 of 3 {unread} they {longer}{advice}",
        f"RefCLIPScore of llm: the ends of 1 of 2 {unread} they {longer}{advice}",
        f"CLIPScore-sentences of llm: the ends of 1 of 3 {unread} their sentences {longer}.",
    ]
