"""Runs side by side: unique names, metrics in order, and what must not be compared is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.comparison.caveats import style_advice, style_remarks
from evaluator.comparison.compare import compare
from evaluator.comparison.labels import labels
from evaluator.config.identity import IDENTITY_GROUPS
from evaluator.core import Style
from evaluator.core.errors import ConfigError, StoreError
from evaluator.core.metrics import METRICS, in_order
from evaluator.store.manifest import Manifest
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run

TABLE = [metric.name for metric in METRICS]

CHOICES = {"data": "pets", "model": "git", "prompt": "none"}


def scored(
    path: Path,
    choices: Mapping[str, str] = CHOICES,
    digest: str = "d1",
    signatures: Mapping[str, str] | None = None,
    reasons: Mapping[str, str] | None = None,
) -> Path:
    """A run of two images that scored 0.5 on each metric of `signatures`."""
    signatures = {"CIDEr": "CIDEr|n:4"} if signatures is None else signatures
    scores = {metric: [0.5, 0.5] for metric in signatures}
    return scored_run(
        path,
        {"1": "a dog", "2": "a cat"},
        scores,
        signature=signatures,
        reasons=reasons,
        choices=choices,
        dataset_digest=digest,
    )


def test_rows_hold_what_the_folders_hold(tmp_path: Path) -> None:
    paths = [scored(tmp_path / name, reasons={"SPICE": "no Java"}) for name in ("b", "a")]
    comparison = compare(paths)
    assert [row.run.path for row in comparison.rows] == paths
    for row in comparison.rows:
        assert row.results == row.run.results
        assert row.manifest == row.run.manifest
        cider = row.score("CIDEr")
        assert cider is not None
        assert cider.value == 0.5
        assert row.score("SPICE") is None
        assert row.reason("SPICE") == "no Java"
        assert row.score("METEOR") is None
        assert row.reason("METEOR") == "not asked for in this run"
    assert comparison.metrics == ("CIDEr", "SPICE")
    assert comparison.warnings == ()


def test_metrics_stand_in_the_order_of_the_tables_and_own_ones_follow(tmp_path: Path) -> None:
    names = ("mine", "CLIPScore", "CIDEr", "yours", "BLEU-1")
    one = scored(tmp_path / "one", signatures={name: name for name in names})
    two = scored(tmp_path / "two", signatures={"METEOR": "m", "yours": "y", "theirs": "t"})
    assert compare([one, two]).metrics == (
        *("BLEU-1", "METEOR", "CIDEr", "CLIPScore"),
        *("mine", "yours", "theirs"),
    )


@given(st.lists(st.sampled_from([*TABLE, "mine", "yours"]), unique=True))
def test_every_metric_is_named_once(names: list[str]) -> None:
    ordered = in_order([*names, *names])
    assert sorted(ordered) == sorted(names)
    in_table = [name for name in ordered if name in TABLE]
    assert ordered[: len(in_table)] == in_table == sorted(in_table, key=TABLE.index)


def named(*runs: tuple[str, str, str, str]) -> list[str]:
    """The labels of runs given as (path, data, model, prompt)."""
    return labels(
        [
            Run(Path(path), manifest=Manifest(dict(zip(IDENTITY_GROUPS, chosen, strict=True)), {}, "d"))
            for path, *chosen in runs
        ]
    )


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([("pets-git-none", "pets", "git", "none")], ["git"]),
        (
            [("pets-git-none", "pets", "git", "none"), ("pets-blip-none", "pets", "blip", "none")],
            ["git", "blip"],
        ),
        (
            [("pets-git-none", "pets", "git", "none"), ("pets-git-photo", "pets", "git", "photo")],
            ["git none", "git photo"],
        ),
        (
            [("pets-git-none", "pets", "git", "none"), ("coco-git-none", "coco", "git", "none")],
            ["pets git", "coco git"],
        ),
        # A name of its own says more than the model does; a hash of options only where it must.
        ([("pets-git-none-1a2b3c", "pets", "git", "none")], ["git"]),
        ([("mine", "pets", "git", "none"), ("pets-git-none", "pets", "git", "none")], ["mine", "git"]),
        (
            [("pets-git-none-1a2b3c", "pets", "git", "none"), ("pets-git-none", "pets", "git", "none")],
            ["pets-git-none-1a2b3c", "pets-git-none"],
        ),
        # Where the names would be the same, the folders' are taken, and then their paths.
        (
            [("git", "pets", "blip", "none"), ("pets-git-none", "pets", "git", "none")],
            ["git", "pets-git-none"],
        ),
        ([("mon/a", "pets", "git", "none"), ("tue/a", "pets", "git", "none")], ["mon/a", "tue/a"]),
    ],
)
def test_labels_tell_the_runs_apart(runs: list[tuple[str, str, str, str]], expected: list[str]) -> None:
    assert named(*runs) == expected


@given(st.lists(st.tuples(*[st.sampled_from("ab")] * 5), unique_by=lambda run: run[:2], min_size=1))
def test_labels_are_unique(runs: list[tuple[str, str, str, str, str]]) -> None:
    found = named(*((f"{folder}/{name}", *chosen) for folder, name, *chosen in runs))
    assert len(set(found)) == len(runs)


def test_different_data_is_warned_of(tmp_path: Path) -> None:
    (warning,) = compare([scored(tmp_path / "a"), scored(tmp_path / "b", digest="d2")]).warnings
    assert warning == "the runs use different images or references (a against b): do not compare them"


def test_different_signatures_are_warned_of(tmp_path: Path) -> None:
    signatures: list[dict[str, Any]] = [
        {"BLEU-4": "BLEU-4|images:5", "CIDEr": "CIDEr|n:4|images:5"},
        {"BLEU-4": "BLEU-4|images:4", "CIDEr": "CIDEr|n:3|images:5"},
        {"BLEU-4": "BLEU-4|images:5"},  # lacks CIDEr, which is no signature of its own
        {"BLEU-4": "BLEU-4|images:4", "CIDEr": "CIDEr|n:4|images:4"},
    ]
    paths = [scored(tmp_path / str(n), signatures=found) for n, found in enumerate(signatures)]
    start = "not computed in the same way in all runs: "
    assert compare(paths[:2]).warnings == (
        f"{start}BLEU-4 (images:5 against images:4)",
        f"{start}CIDEr (n:4 against n:3)",
    )
    assert compare([paths[0], paths[2]]).warnings == ()
    assert compare([paths[0], paths[3]]).warnings == (f"{start}BLEU-4, CIDEr (images:5 against images:4)",)


def test_the_interval_of_one_image_says_nothing(tmp_path: Path) -> None:
    alone = scored_run(tmp_path / "alone", {"1": "a dog"}, {"CIDEr": [0.5]}, choices=CHOICES)
    (warning,) = compare([alone]).warnings
    assert warning.endswith("scores of one image, whose intervals say nothing about other images")


def test_a_run_given_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored(tmp_path / "a")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match="a is given twice"):
        compare([tmp_path / "a", Path("a")])


def test_what_is_not_a_run_or_not_scored_says_what_to_type(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a run folder"):
        compare([tmp_path])
    RunFolder(tmp_path / "begun").begin(Manifest(CHOICES, {}, "d"), {}, [])
    with pytest.raises(StoreError, match=r"was not scored yet\. Type: evaluator score"):
        compare([tmp_path / "begun"])


def test_a_style_that_affects_the_scores_is_reported() -> None:
    plain = Style(10, 10, 10.4, 10, preamble=0.01, markdown=0, several_sentences=0.1, other_script=0)
    assert style_remarks(plain) == []
    chatty = replace(plain, words_mean=23, preamble=0.88)
    assert style_remarks(chatty) == [
        '88 % of its captions begin with a preamble such as "The image shows"',
        "its captions have 23.0 words, the references 10.4",
    ]
    assert style_remarks(replace(plain, words_mean=23, reference_words_mean=None)) == []
    assert "strip_preamble shows" in style_advice(chatty)
    assert style_advice(replace(plain, words_mean=23)) == ""  # no normalization makes long captions short
