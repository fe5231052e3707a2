"""The straight line, in process: resume, refusal, outcomes, scores that are there already."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from evaluator.comparison.compare import compare
from evaluator.config.run_config import RunConfig, run_configs
from evaluator.core import NotComputed, Outcome, Results, Score
from evaluator.core.errors import ConfigError, DataError, StoreError
from evaluator.evaluate import evaluate as evaluate_run
from evaluator.scorers.bleu import BLEU
from evaluator.store.run_folder import RunFolder

REFERENCES = {
    "1": ["a black dog runs over the grass", "a dog on grass"],
    "2": ["two red cups stand on a table", "cups on a table"],
    "3": ["a man rides a bicycle", "a cyclist in a street"],
    "4": ["a bowl of green apples", "apples in a bowl"],
}
COMPUTED = ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"]
# Everything that is not a caption, with a text that came along and must not be scored.
FAILURES = [outcome for outcome in Outcome if outcome is not Outcome.OK]


class Line:
    """A small data set, a captioner that says what it is told, and their run folder."""

    def __init__(self, folder: Path, conf: Path, references: Callable[..., Path]) -> None:
        self.folder, self.conf, self.references = folder, conf, references
        self.annotations = references(REFERENCES)
        self.run = RunFolder(folder / "runs" / "small")
        self.say({})

    def say(self, lines: dict[str, str | dict[str, str]]) -> None:
        (self.folder / "script.json").write_text(json.dumps(lines), encoding="utf-8")

    def config(self, *overrides: str) -> RunConfig:
        other_model = any(override.startswith("model=") for override in overrides)
        scripted = [
            "model=scripted",
            f"model.script={self.folder / 'script.json'}",
            f"model.log={self.folder / 'asked'}",
        ]
        (config,) = run_configs(
            [
                *([] if other_model else scripted),
                "data=coco",
                f"data.annotations={self.annotations}",
                "scorer=[bleu,words]",
                f"scorer.words.log={self.folder / 'scored'}",
                f"runs={self.folder / 'runs'}",
                "name=small",
                "resamples=20",
                *overrides,
            ],
            self.conf,
        )
        return config

    def log(self, name: str) -> list[list[str]]:
        """What was asked or scored since the last look, a list a call."""
        path = self.folder / name
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.write_text("")
        return [json.loads(line) for line in lines]

    def content(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in sorted(self.run.path.iterdir())}


def evaluate(config: RunConfig) -> Results:
    return evaluate_run(config).results


@pytest.fixture
def line(tmp_path: Path, own: Path, references: Callable[..., Path]) -> Line:
    return Line(tmp_path, own, references)


def score_of(scores: Sequence[Score], name: str) -> Score:
    (score,) = (score for score in scores if score.name == name)
    return score


def test_one_evaluation_writes_everything_that_a_run_is(line: Line) -> None:
    line.say({"1": "a black dog runs over the grass", "2": "two cups", "3": "a man", "4": "a bowl"})
    results = evaluate(line.config())
    assert (results.images, results.outcomes, results.coverage) == (4, {Outcome.OK: 4}, 1.0)
    assert not results.is_incomplete
    assert [score.name for score in results.scores] == [*COMPUTED, "Words"]
    words = score_of(results.scores, "Words")
    assert (words.value, words.images) == ((7 + 2 + 2 + 2) / 4, 4)
    assert 2 <= words.low <= 13 / 4 <= words.high <= 7
    assert line.run.load().results == results
    assert line.run.load().per_image["Words"].to_dict() == {"1": 7.0, "2": 2.0, "3": 2.0, "4": 2.0}
    coco = json.loads((line.run.path / "captions.coco.json").read_text())
    assert coco[1] == {"image_id": 2, "caption": "two cups"}
    manifest = line.run.load().manifest
    assert manifest.choices == {"data": "coco", "model": "scripted", "prompt": "none"}
    assert manifest.identity["model"] == {"kind": "own_components.Scripted", "style": "plain"}
    assert "_target_: own_components.Scripted" in (line.run.path / "config.yaml").read_text()


def test_only_what_is_missing_is_captioned(line: Line) -> None:
    evaluate(line.config("limit=2"))
    before = line.content()["captions.jsonl"]
    assert line.log("asked") == [["1", "2"]]
    results = evaluate(line.config())
    assert line.log("asked") == [["3", "4"]]
    assert line.content()["captions.jsonl"].startswith(before)
    assert (results.images, results.captioned) == (4, 4)
    assert line.run.load().results == evaluate(line.config())
    assert line.log("asked") == []


@pytest.mark.parametrize("outcome", FAILURES)
def test_a_failure_is_counted_and_never_scored(line: Line, outcome: Outcome) -> None:
    good = {"1": "a black dog", "3": "a man rides", "4": "apples"}
    line.say({**good, "2": {outcome: "two red cups stand on a table"}})
    results = evaluate(line.config())
    assert results.outcomes == {Outcome.OK: 3, outcome: 1}
    assert line.log("scored") == [list(good.values())]
    items = [item for item in line.run.load().items if item.id != "2"]
    expected = {m.name: m.value for m in BLEU().score(items, list(good.values()))}
    assert {name: score_of(results.scores, name).value for name in COMPUTED} == expected
    row = line.run.load().per_image.loc["2"]
    assert row["outcome"] == outcome
    assert row["caption"] is None or row.isna()["caption"]
    assert np.isnan(row[[*COMPUTED, "Words"]].to_numpy(dtype=float)).all()
    assert results.is_incomplete == (outcome in (Outcome.ERROR, Outcome.SKIPPED))


@pytest.mark.parametrize("outcome", FAILURES)
def test_the_next_run_asks_again_where_that_can_help(line: Line, outcome: Outcome) -> None:
    line.say({"2": {outcome: "no"}})
    evaluate(line.config())
    line.log("asked")
    line.say({"2": "two cups"})
    results = evaluate(line.config())
    retried = outcome in (Outcome.ERROR, Outcome.SKIPPED)
    assert line.log("asked") == ([["2"]] if retried else [])
    assert results.captioned == (4 if retried else 3)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(*[st.sampled_from(Outcome)] * 4), min_size=1, max_size=3))
def test_whatever_fails_and_in_whatever_order(
    tmp_path_factory: pytest.TempPathFactory, histories: list[tuple[Outcome, ...]]
) -> None:
    """Each run asks exactly for what has no final outcome; the last outcome of each image counts."""
    folder, conf = tmp_path_factory.mktemp("line"), Path(__file__).parent / "own" / "conf"
    annotations = folder / "references.json"
    annotations.write_text(
        json.dumps(
            {
                "images": [{"id": n} for n in "1234"],
                "annotations": [{"image_id": n, "caption": "a dog"} for n in "1234"],
            }
        )
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(conf.parent)
        line = Line(folder, conf, lambda _: annotations)
        config = replace(line.config("resamples=1"), scorers={})
    latest: dict[str, Outcome] = {}
    for outcomes in histories:
        todo = [n for n in "1234" if n not in latest or latest[n].can_be_retried]
        line.say(
            {n: "a dog" if o is Outcome.OK else {o: "no"} for n, o in zip("1234", outcomes, strict=True)}
        )
        results = evaluate(config)
        assert line.log("asked") == ([todo] if todo else [])
        latest |= {n: outcome for n, outcome in zip("1234", outcomes, strict=True) if n in todo}
        assert {n: caption.outcome for n, caption in line.run.load().captions.items()} == latest
        assert results.captioned == list(latest.values()).count(Outcome.OK)


def test_a_run_in_which_nothing_was_captioned_has_no_scores(line: Line) -> None:
    line.say({item: {"refused": "no"} for item in "1234"})
    results = evaluate(line.config())
    assert results.scores == ()
    assert [missing.name for missing in results.not_computed] == [*COMPUTED, "Words"]
    assert {missing.reason for missing in results.not_computed} == {"no image has a caption"}
    assert not results.is_incomplete


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("model.style=loud", "model.style: 'plain' there, 'loud' now"),
        ("model=tiny-git", "model.kind: 'own_components.Scripted' there, 'git' now"),
        ("prompt=photo", "prompt.text: '' there, 'a photo of' now"),
        ("prompt.text=look", "prompt.text: '' there, 'look' now"),
        ("data=karpathy", "data.split: None there, 'test' now"),
        ("data.annotations=OTHER", "data.annotations: 'sha256:"),
    ],
)
def test_a_folder_with_another_run_is_refused_and_left_as_it_is(
    line: Line, override: str, message: str
) -> None:
    evaluate(line.config())
    before = line.content()
    other = line.references(REFERENCES | {"5": ["a fifth"]}, "other.json")
    with pytest.raises(ConfigError) as refusal:
        evaluate(line.config(override.replace("OTHER", str(other))))
    assert message in str(refusal.value)
    assert "name=..." in str(refusal.value)
    assert line.content() == before


@pytest.mark.parametrize(
    "override",
    [
        "limit=2",
        "runner.batch_size=1",
        "runner.decode_workers=1",
        "scorer=[words,rouge]",
        "scorer.words.weight=2",
        "resamples=7",
        "confidence=0.9",
        "seed=5",
        "only_with_images=false",
        "model.seconds=0.001",
        "data.annotations=COPY",
        "sweep=many",
    ],
)
def test_what_does_not_change_a_caption_never_blocks_a_resume(line: Line, override: str) -> None:
    evaluate(line.config("limit=1"))
    copy = line.folder / "the same elsewhere.json"
    copy.write_bytes(line.annotations.read_bytes())
    results = evaluate(line.config(override.replace("COPY", f"'{copy}'")))
    assert [first for batch in line.log("asked") for first in batch] == list("1234")[: results.images]


def test_a_metric_is_added_and_the_others_stay(line: Line) -> None:
    before = evaluate(line.config("scorer=[words,rouge]"))
    results = evaluate(line.config("scorer=[words,bleu]"))
    assert [score.name for score in results.scores] == ["Words", "ROUGE-L", *COMPUTED]
    assert results.scores[:2] == before.scores
    assert len(line.log("scored")) == 1  # Words is not computed again either
    assert line.run.load().config["scorer"].keys() == {"words", "rouge", "bleu"}
    assert line.run.load().results == results
    assert line.run.load().per_image["ROUGE-L"].notna().all()
    assert evaluate(line.config("scorer=[words]")) == results


def test_scores_of_other_captions_do_not_stay(line: Line, caplog: pytest.LogCaptureFixture) -> None:
    line.say({"2": {"error": "no"}})
    evaluate(line.config())
    line.say({"2": "two cups"})
    results = evaluate(line.config("scorer=[words]"))
    assert [score.name for score in results.scores] == ["Words"]
    gone = ", ".join(COMPUTED)
    assert f"the captions changed, so the scores of {gone} are gone. Type: evaluator score" in caplog.text


def test_scores_of_version_0_1_0_stay_where_the_captions_are_the_same(line: Line) -> None:
    evaluate(line.config("scorer=[words,rouge]"))
    path = line.run.path / "scores.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"fingerprint": "ab" * 32}))
    results = evaluate(line.config("scorer=[words,bleu]"))
    assert {score.name for score in results.scores} == {"Words", "ROUGE-L", *COMPUTED}


def test_a_smaller_command_leaves_a_run_as_it_is(line: Line) -> None:
    evaluate(line.config())
    before = line.content()
    said = r"3 images that are not among the 1 .* such as '2'\. Type another name="
    with pytest.raises(ConfigError, match=said):
        evaluate(line.config("limit=1"))
    assert line.content() == before


def test_a_scorer_that_cannot_run_says_why_and_stops_no_other(line: Line) -> None:
    results = evaluate(line.config("scorer=[unable,bleu,words]"))
    assert [score.name for score in results.scores] == [*COMPUTED, "Words"]
    assert results.not_computed == tuple(
        NotComputed(name, "its oracle is asleep. Type wake") for name in ("Unable-1", "Unable-2")
    )
    scores = json.loads(line.content()["scores.json"])["scores"]
    assert scores["Unable-1"] == {"reason": "its oracle is asleep. Type wake", "computed": False}


def test_captions_are_scored_once(line: Line) -> None:
    line.say({"2": {"error": "no"}})
    first = evaluate(line.config())
    assert len(line.log("scored")) == 1
    before = line.content()
    assert evaluate(line.config()) == first
    assert [len(batch) for batch in line.log("scored")] == []
    assert line.content()["scores.json"] == before["scores.json"]
    line.say({"2": "two cups on a table"})
    assert evaluate(line.config()).captioned == 4
    assert [len(batch) for batch in line.log("scored")] == [4]


@pytest.mark.parametrize(
    ("change", "times"), [("scorer.words.weight=2", 2), ("resamples=21", 1), ("confidence=0.5", 1)]
)
def test_other_options_of_the_scores_score_again(line: Line, change: str, times: int) -> None:
    """What only changes the intervals is computed from the statistics that are there."""
    before = evaluate(line.config())
    after = evaluate(line.config(change))
    assert len(line.log("scored")) == times
    assert after != before


def test_what_could_not_be_computed_is_tried_again(
    line: Line, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("DEBUG", "evaluator")
    config = line.config("scorer=[unable,words]")
    evaluate(config)
    evaluate(config)
    assert len(line.log("scored")) == 1
    assert caplog.text.count("its oracle is asleep") == 2


@pytest.mark.parametrize(
    "lost",
    [
        *("scores.json", "statistics.npz", "per_image.parquet", "captions.coco.json"),
        *("items.jsonl", "config.yaml"),
    ],
)
def test_what_was_computed_can_be_deleted(line: Line, lost: str) -> None:
    first = evaluate(line.config())
    before, _ = line.content(), line.log("asked")
    (line.run.path / lost).unlink()
    assert evaluate(line.config()) == first
    after = line.content()
    assert line.log("asked") == []
    assert after.keys() == before.keys()
    assert after["captions.jsonl"] == before["captions.jsonl"]
    assert after[lost] == before[lost]


def test_captions_of_unknown_origin_are_not_taken_over(line: Line) -> None:
    evaluate(line.config())
    (line.run.path / "manifest.json").unlink()
    with pytest.raises(StoreError, match=r"cannot read .*manifest\.json"):
        evaluate(line.config())


def test_pictures_may_be_given_later_and_move(line: Line) -> None:
    for name in ("pictures", "others"):
        (line.folder / name).mkdir()
        Image.new("RGB", (8, 8)).save(line.folder / name / "2.png")
    evaluate(line.config())
    evaluate(line.config(f"data.images={line.folder}/pictures"))
    assert line.log("asked") == [["1", "2", "3", "4"]]
    assert line.run.load().items[1].image == line.folder / "pictures" / "2.png"
    evaluate(line.config(f"data.images={line.folder}/others"))
    assert line.run.load().items[1].image == line.folder / "others" / "2.png"
    assert line.log("asked") == []


@pytest.mark.parametrize(("limit", "ids"), [("1", "1"), ("3", "123"), ("9", "1234"), ("null", "1234")])
def test_limit_takes_the_first_images(line: Line, limit: str, ids: str) -> None:
    results = evaluate(line.config(f"limit={limit}"))
    assert [item.id for item in line.run.load().items] == list(ids) == list(line.run.load().captions)
    assert results.images == len(ids)


def test_only_with_images_leaves_out_what_has_no_picture(line: Line) -> None:
    pictures = line.folder / "pictures"
    pictures.mkdir()
    for name in ("2", "4"):
        Image.new("RGB", (8, 8)).save(pictures / f"{name}.png")
    only = ["only_with_images=true", f"data.images={pictures}"]
    assert evaluate(line.config(*only)).images == 2
    assert line.log("asked") == [["2", "4"]]
    assert evaluate(line.config(*only, "limit=1", "name=first")).images == 1
    with pytest.raises(DataError, match="only_with_images"):
        evaluate(line.config("only_with_images=true", "name=none"))


def replay(line: Line, captions: Any) -> RunConfig:
    path = line.folder / "captions.json"
    path.write_text(json.dumps(captions), encoding="utf-8")
    return line.config("model=replay", f"model.captions={path}")


def test_a_captions_file_is_a_run_like_any_other(line: Line) -> None:
    entries = [{"image_id": 1, "caption": "a dog"}, {"image_id": "2", "caption": ""}]
    results = evaluate(replay(line, entries))
    assert results.outcomes == {Outcome.OK: 2, Outcome.MISSING: 2}
    assert not results.is_incomplete
    assert results.images_per_second is None
    assert line.log("scored") == [["a dog", ""]]
    assert evaluate(replay(line, entries)) == results
    assert line.log("scored") == []


def test_captions_of_other_images_only_are_an_error(line: Line) -> None:
    with pytest.raises(DataError, match="for an image of the data set"):
        evaluate(replay(line, [{"image_id": 77, "caption": "a dog"}]))


@pytest.mark.parametrize("override", ["model.captions=CHANGED", "model=scripted"])
def test_changed_captions_are_another_run(line: Line, override: str) -> None:
    entries = [{"image_id": 1, "caption": "a dog"}]
    evaluate(replay(line, entries))
    with pytest.raises(ConfigError, match=r"model\.(captions|kind): "):
        evaluate(
            line.config(override)
            if override == "model=scripted"
            else replay(line, [{"image_id": 1, "caption": "a cat"}])
        )


def test_the_console_script_finds_what_lies_beside_it(line: Line, own_copy: Path) -> None:
    """Its sys.path does not begin with the folder that one stands in, unlike that of python -m."""
    code = (
        "import sys; sys.path = [path for path in sys.path if path]; "
        "from evaluator.cli.main import main; main()"
    )
    overrides = ["model=scripted", "data=coco", f"data.annotations={line.annotations}", "scorer=[words]"]
    done = subprocess.run(
        [sys.executable, "-c", code, "run", "--config-dir", own_copy.name, *overrides],
        cwd=line.folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (run,) = (line.folder / "runs").iterdir()
    assert RunFolder(run).load().results.captioned == 4


def test_normalized_captions_are_scored_beside_the_raw_ones(line: Line) -> None:
    line.say({number: f"Here is a caption: {said[0]}" for number, said in REFERENCES.items()})
    results = evaluate(line.config("normalize=strip_preamble"))
    scores = {score.name: score for score in results.scores}
    assert scores["BLEU-4 (strip_preamble)"].value == pytest.approx(1.0)
    assert scores["BLEU-4"].value < 0.8
    assert scores["BLEU-4 (strip_preamble)"].signature == f"{scores['BLEU-4'].signature}|norm:strip_preamble"
    assert results.style is not None
    assert (results.style.preamble, results.style.markdown) == (1.0, 0.0)
    assert line.run.load().results == results
    assert "BLEU-4 (strip_preamble)" not in [score.name for score in evaluate(line.config()).scores]


def test_what_has_no_caption_is_scored_as_empty_where_that_is_asked_for(line: Line) -> None:
    line.say(
        {"1": REFERENCES["1"][0], "2": {"refused": "no"}, "3": {"refused": "no"}, "4": REFERENCES["4"][0]}
    )
    left_out = evaluate(line.config())
    as_empty = evaluate(line.config("missing=empty"))
    assert left_out.outcomes == as_empty.outcomes
    assert left_out.coverage == as_empty.coverage == 0.5
    before, after = ({score.name: score for score in found.scores} for found in (left_out, as_empty))
    assert (before["BLEU-1"].images, after["BLEU-1"].images) == (2, 4)
    assert after["BLEU-1"].value < before["BLEU-1"].value
    assert after["BLEU-1"].signature.endswith("|missing:empty")
    assert [image["caption"] for image in json.loads((line.run.path / "captions.coco.json").read_text())] == [
        REFERENCES["1"][0],
        "",
        "",
        REFERENCES["4"][0],
    ]


@pytest.mark.parametrize("entry", ["identity", "choices", "dataset_digest"])
def test_a_run_that_does_not_say_what_it_is_of_is_neither_resumed_nor_compared(
    entry: str, line: Line
) -> None:
    evaluate(line.config())
    path = line.run.path / "manifest.json"
    document = json.loads(path.read_text())
    del document[entry]
    path.write_text(json.dumps(document))
    with pytest.raises(StoreError, match=rf"{entry}.*start a new run with name=\.\.\."):
        evaluate(line.config())
    with pytest.raises(StoreError, match=rf"manifest\.json is not what this program writes .*{entry}"):
        compare([line.run.path])
