"""Damaged captions files as runs: findings beside the scores, what the remedies change, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from evaluator.comparison.compare import compare
from evaluator.config.run_config import run_configs
from evaluator.core import Outcome, Results
from evaluator.evaluate import evaluate
from evaluator.report.page.gallery import gallery
from evaluator.report.text.comparison import as_json, comparison_table
from evaluator.scorers.cider import CIDEr
from evaluator.scoring import score
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder


def scored(folder: Path, case: str, data: Path, *overrides: str, name: str = "run") -> Run:
    files = data / "cases" / case
    captions = "vqa" if name == "vqa" else "caps"
    (config,) = run_configs(
        [
            "model=replay",
            f"model.captions={files / captions}.json",
            "data=coco",
            f"data.annotations={files}/refs.json",
            "scorer=[cider]",
            f"runs={folder}",
            f"name={name}",
            "resamples=20",
            *overrides,
        ]
    )
    return evaluate(config)


def points(results: Results) -> Mapping[str, float]:
    return {score.name: round(score.points, 1) for score in results.scores}


WHOLE = 239.9  # CIDEr of the captions without damage, as pycocoevalcap computes it


@pytest.mark.parametrize(
    ("case", "name", "kind", "raw", "remedy"),
    [
        ("P19", "run", "shared_start", 100.1, "strip_shared_start"),
        ("P62", "run", "shared_start", 70.4, "strip_shared_start"),
        ("P62", "vqa", "shared_start", 103.7, "strip_shared_start"),
        ("P28", "run", "chat_marker", 129.4, "strip_markers"),
    ],
)
def test_the_finding_says_what_its_normalization_gives(
    tmp_path: Path, real_data: Path, case: str, name: str, kind: str, raw: float, remedy: str
) -> None:
    results = scored(tmp_path, case, real_data, name=name).results
    (found,) = results.findings
    assert (found.kind, found.count, found.of) == (kind, 6, 6)
    assert found.remedy == f"normalize={remedy}"
    assert found.metric == "CIDEr"
    assert found.score
    assert found.score_without
    assert points(results) == {"CIDEr": round(100 * found.score, 1)} == {"CIDEr": raw}
    assert round(100 * found.score_without, 1) == WHOLE
    normalized = scored(tmp_path, case, real_data, found.remedy, name=name).results
    assert points(normalized) == {"CIDEr": raw, f"CIDEr ({remedy})": WHOLE}
    options = normalized.scores[-1].signature.options
    assert options["norm"] == remedy
    assert ("removed" in options) == (kind == "shared_start")


def test_findings_stand_beside_the_scores(tmp_path: Path, real_data: Path) -> None:
    run = scored(tmp_path, "P19", real_data)
    assert RunFolder.existing(run.path).load().results == run.results
    assert json.loads((run.path / "scores.json").read_text())["findings"][0]["text"] == "a photo of"
    comparison = compare([run])
    assert any('begin with "a photo of"' in warning for warning in comparison.warnings)
    (told,) = json.loads(as_json(comparison))["runs"][0]["findings"]
    assert "CIDEr is 239.9 instead of 100.1" in told["sentence"]
    table = comparison_table(comparison)
    assert table.rows[0][list(table.headings).index("damaged")].text == "100 %"


def test_results_of_earlier_versions_have_no_findings(tmp_path: Path, real_data: Path) -> None:
    path = scored(tmp_path, "P60", real_data).path / "scores.json"
    document = json.loads(path.read_text())
    assert [finding["kind"] for finding in document.pop("findings")] == ["few_different"]
    path.write_text(json.dumps(document))
    comparison = compare([path.parent])
    assert comparison.rows[0].results.findings == ()
    assert "damaged" not in comparison_table(comparison).headings


def test_empty_captions_are_named(tmp_path: Path, real_data: Path) -> None:
    (found,) = scored(tmp_path, "P36", real_data).results.findings
    assert (found.kind, found.count) == ("empty", 6)


def test_reasoning_in_a_file_is_no_part_of_the_score(tmp_path: Path, real_data: Path) -> None:
    run = scored(tmp_path, "P27", real_data)
    assert points(run.results) == {"CIDEr": WHOLE}
    assert [found.kind for found in run.results.findings] == ["removed_reasoning"]
    reply = run.captions["101"].reply
    assert reply
    assert reply.whole_text.startswith("<think>")
    assert "whole_text" in (run.path / "captions.jsonl").read_text()


def test_refusals_count_as_missing_on_request(tmp_path: Path, real_data: Path) -> None:
    run = scored(tmp_path, "P26", real_data)
    assert run.results.coverage == 1.0
    assert [found.remedy for found in run.results.findings] == ["refusals=missing"] * 2
    (config,) = run_configs(["refusals=missing"])
    strict = score(run, {"cider": CIDEr()}, config.settings)
    assert strict.results.outcomes == {Outcome.MISSING: 3, Outcome.REFUSED: 2, Outcome.BLOCKED: 1}
    assert strict.results.coverage == 0.0
    assert [entry.reason for entry in strict.results.not_computed] == ["no image has a caption"]
    assert [(found.kind, found.remedy) for found in strict.results.findings] == [
        ("refusal", ""),
        ("tool_failure", ""),
    ]
    assert strict.captions["105"].text == "nan"  # the text is kept
    errors = gallery(compare([strict])).answers[0].errors
    assert "identifying people" in errors[0]
    assert not strict.results.is_incomplete


def test_refusals_as_missing_keep_the_other_captions(tmp_path: Path, real_data: Path) -> None:
    captions = json.loads((real_data / "cases" / "P26" / "caps.json").read_text())
    for entry in captions[2:]:
        entry["caption"] = "a bowl of noodles on a bridge"
    (tmp_path / "captions.json").write_text(json.dumps(captions))
    own = f"model.captions={tmp_path}/captions.json"
    results = scored(tmp_path, "P26", real_data, own, "refusals=missing").results
    assert (results.captioned, results.images) == (4, 6)
    assert results.scores[0].images == 4
    assert results.scores[0].signature.options["refusals"] == "missing"
    empty = scored(tmp_path, "P26", real_data, own, "refusals=missing", "missing=empty").results
    assert (empty.captioned, empty.scores[0].images) == (4, 6)


def test_a_damaged_and_a_whole_run_are_compared_without_the_damage(tmp_path: Path, real_data: Path) -> None:
    """What was removed from the captions of one run is part of its signature, and no other recipe."""
    normalize = "normalize=strip_shared_start"
    damaged = scored(tmp_path, "P19", real_data, normalize)
    captions = json.loads((real_data / "cases" / "P19" / "caps.json").read_text())
    for entry in captions:
        entry["caption"] = entry["caption"].removeprefix("a photo of a photo of ")
    (tmp_path / "whole.json").write_text(json.dumps(captions))
    own = f"model.captions={tmp_path}/whole.json"
    whole = scored(tmp_path, "P19", real_data, own, normalize, name="whole")
    comparison = compare([damaged, whole])
    difference = comparison.pairs.difference("CIDEr (strip_shared_start)", 0, 1)
    assert difference
    assert difference.points == 0.0
    assert not any("not computed in the same way" in warning for warning in comparison.warnings)
