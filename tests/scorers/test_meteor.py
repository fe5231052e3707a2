"""METEOR as a metric: known scores, both engines, and what is said where something is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from evaluator.core import Item
from evaluator.core.aggregates.meteor import meteor
from evaluator.core.errors import MetricError
from evaluator.scorers.java import run_java
from evaluator.scorers.meteor import METEOR
from evaluator.scorers.meteor15.installed_files import InstalledFiles

pytest.importorskip("pycocoevalcap", reason="pycocoevalcap is not installed")

ITEMS = [
    Item("a", None, ("A man rides a wave.", "Somebody is surfing.")),
    Item("b", None),
    Item("c", None, ("Two dogs run in the park.",)),
]
CAPTIONS = ["a surfer riding a wave", "nobody knows", "dogs are running through a park"]
# METEOR that the authors' own logs give to the last digit.
REPORTED = {
    "blip2_opt2.7b_coco_finetuned": 0.3206602458928521,
    "instructblip_vicuna7b_zeroshot": 0.3212760433534643,
    "minigpt4_vicuna7b_zeroshot": 0.2717151073190081,
}


@pytest.mark.parametrize("name", REPORTED)
def test_published_captions_get_their_published_score(real_data: Path, name: str) -> None:
    reported = json.loads((real_data / "systems" / "scores.json").read_bytes())[name]["reported"]["scores"]
    texts: dict[int, list[str]] = {}
    for row in json.loads((real_data / "coco" / "captions_karpathy_test.json").read_bytes())["annotations"]:
        texts.setdefault(row["image_id"], []).append(row["caption"])
    rows = json.loads((real_data / "systems" / f"{name}.json").read_bytes())
    items = [Item(str(row["image_id"]), None, tuple(texts[row["image_id"]])) for row in rows]
    (measured,) = METEOR().score(items, [row["caption"] for row in rows])
    assert measured.value == pytest.approx(reported["METEOR"], abs=1e-12)
    assert measured.value == pytest.approx(REPORTED[name], abs=1e-12)
    assert measured.signature.startswith("METEOR|version:1.5|norm:en|tok:ptb|refs:5-")


@pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")
def test_both_engines_give_the_same() -> None:
    (ours,) = METEOR().score(ITEMS, CAPTIONS)
    (theirs,) = METEOR(engine="java").score(ITEMS, CAPTIONS)
    assert np.array_equal(ours.statistics, theirs.statistics)
    assert ours.signature == theirs.signature
    assert np.isnan(ours.per_image).tolist() == [False, True, False]
    assert 0.2 < ours.value < 0.7


@pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed")
def test_the_program_makes_the_same_scores_of_the_same_rows() -> None:
    (ours,) = METEOR().score(ITEMS, CAPTIONS)
    rows = ours.statistics[ours.scored]
    question = " ||| ".join(["EVAL", *(" ".join(map(str, row)) for row in rows.tolist())]) + "\n"
    jar = InstalledFiles.find().jar
    command = ["java", "-jar", str(jar), "-", "-", "-stdio", "-l", "en", "-norm"]
    told = run_java(command, 600, "METEOR", question=question.encode()).split()
    *of_images, corpus = map(float, told)
    assert ours.per_image[ours.scored] == pytest.approx(of_images, abs=1e-15)
    assert ours.value == pytest.approx(corpus, abs=1e-15)


def test_several_processes_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    (one,) = METEOR(processes=1).score(ITEMS * 5, CAPTIONS * 5)
    monkeypatch.setattr("evaluator.scorers.meteor15.engines.CAPTIONS_A_PROCESS", 3)
    (three,) = METEOR(processes=3).score(ITEMS * 5, CAPTIONS * 5)
    assert np.array_equal(one.statistics, three.statistics)


def test_a_process_that_dies_is_not_a_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluator.scorers.meteor15.engines.CAPTIONS_A_PROCESS", 3)
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(MetricError, match=r"scorer\.meteor\.processes=1"):
        METEOR(processes=2).score(ITEMS * 5, CAPTIONS * 5)


PROGRAM = """
from evaluator import score
measured = score(["a surfer riding a wave"], [["A man rides a wave."]], metrics=["METEOR"])
print(measured["METEOR"].value > 0.2)
"""


def test_it_needs_no_java(tmp_path: Path) -> None:
    """A program without any folder of programs."""
    environment = {**os.environ, "PATH": str(tmp_path), "JAVA_HOME": ""}
    assert shutil.which("java", path=str(tmp_path)) is None
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"


def test_without_java_the_java_engine_says_what_to_install() -> None:
    with pytest.raises(MetricError, match=r"apt install .* scorer\.meteor\.java="):
        METEOR(engine="java", java="/nowhere/java").score(ITEMS, CAPTIONS)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("echo nonsense; cat > /dev/null", "1 answers for 2 captions"),
        ("cat > /dev/null; echo trouble >&2; exit 1", "trouble"),
        ("sleep 600", "stopped after 2 seconds"),
    ],
)
def test_a_java_that_misbehaves_is_not_a_score(tmp_path: Path, program: str, reason: str) -> None:
    java = tmp_path / "java"
    java.write_text(f"#!/bin/sh\n{program}\n")
    java.chmod(0o755)
    with pytest.raises(MetricError, match=reason):
        METEOR(engine="java", java=str(java), time_limit_seconds=2.0).score(ITEMS, CAPTIONS)


def test_a_missing_package_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    monkeypatch.setenv("EVALUATOR_CACHE", "")
    from evaluator.scorers.meteor15.language import load_language

    load_language.cache_clear()
    with pytest.raises(MetricError, match="pip install 'pycocoevalcap"):
        METEOR().score(ITEMS, CAPTIONS)


def test_no_references_at_all() -> None:
    with pytest.raises(MetricError, match="references"):
        METEOR().score(ITEMS[1:2], CAPTIONS[1:2])


rows = arrays.arrays(np.float64, (4, 23), elements=st.integers(0, 9).map(float))


@given(rows)
def test_scores_lie_between_0_and_1_where_the_rows_are_possible(given_rows: np.ndarray) -> None:
    possible = given_rows.copy()
    possible[:, 2:4] = np.minimum(possible[:, 2:4], possible[:, :2])
    possible[:, 4:20] = 0
    for side in (0, 1):
        content = possible[:, side] - possible[:, 2 + side]
        possible[:, 4 + side], possible[:, 6 + side] = content, possible[:, 2 + side]
    possible[:, 21:] = possible[:, :2]
    possible[:, 20] = np.minimum(possible[:, 20], possible[:, 21:].min(axis=1))
    scores = meteor(possible)
    assert np.isnan(scores).tolist() == (~possible.any(axis=1)).tolist()
    assert ((np.nan_to_num(scores) >= 0) & (np.nan_to_num(scores) <= 1 + 1e-12)).all()


def test_a_row_by_hand() -> None:
    """Six words on each side, all exact and content, in two chunks: 1 - 0.6 * (2 / 6) ** 0.2."""
    row = np.zeros(23)
    row[[0, 1, 4, 5, 21, 22]] = 6.0
    row[20] = 2.0
    assert meteor(row) == pytest.approx(1.0 - 0.6 * (1.0 / 3.0) ** 0.2)
