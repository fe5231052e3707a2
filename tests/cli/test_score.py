"""`evaluator score` on one file that holds everything, with chosen fields, and what it calls the data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from evaluator.cli.leaderboard import leaderboard_command
from evaluator.cli.score import score_command
from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run

References = Callable[..., Path]

ROWS = [
    {"image": "a.jpg", "base": "a dog", "tuned": "a dog runs", "people": "a dog runs fast", "n": 1},
    {"image": "b.jpg", "base": "a cat", "tuned": "a cat sits", "people": "a cat sits down", "n": 2},
]


def written(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


def score(tmp_path: Path, *arguments: object) -> Result:
    options = ["--output", tmp_path / "out", "scorer=[bleu]", "resamples=10"]
    return CliRunner().invoke(score_command, [str(argument) for argument in (*arguments, *options)])


def bleu(run: Path) -> float:
    scores = json.loads((run / "scores.json").read_text())["scores"]
    return float(scores["BLEU-1"]["value"])


def test_one_file_holds_captions_and_references(tmp_path: Path) -> None:
    file = written(
        tmp_path / "all.json",
        [{"image": row["image"], "prediction": row["tuned"], "references": [row["people"]]} for row in ROWS],
    )
    assert score(tmp_path, file).exit_code == 0
    run = RunFolder(tmp_path / "out").load()
    assert [item.references for item in run.items] == [("a dog runs fast",), ("a cat sits down",)]
    assert [caption.text for caption in run.captions.values()] == ["a dog runs", "a cat sits"]
    assert run.manifest.dataset == "all.json"


def test_each_chosen_column_is_a_run(tmp_path: Path) -> None:
    file = written(tmp_path / "columns.json", ROWS)
    fields = ["--caption-field", "base", "--caption-field", "tuned", "--references-field", "people"]
    done = score(tmp_path, file, *fields)
    assert done.exit_code == 0, done.output
    assert bleu(tmp_path / "out" / "columns-base") < bleu(tmp_path / "out" / "columns-tuned")


def test_a_field_with_ids_is_chosen(tmp_path: Path, references: References) -> None:
    file = written(tmp_path / "columns.json", ROWS)
    of_number = references({1: ["a dog runs fast"], 2: ["a cat sits down"]})
    fields = ["--id-field", "n", "--caption-field", "Tuned"]
    assert score(tmp_path, file, "--references", of_number, *fields).exit_code == 0
    assert list(RunFolder(tmp_path / "out").load().captions) == ["1", "2"]


def test_files_of_one_name_are_several_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In one command by their folders; in the next, a changed file is a new run."""
    monkeypatch.chdir(tmp_path)
    for name in ("git", "blip"):
        (tmp_path / name).mkdir()
        written(tmp_path / name / "val.json", [{"image": "a", "caption": name, "references": ["a dog"]}])
    options = ["scorer=[bleu]", "resamples=10"]
    done = CliRunner().invoke(score_command, ["git/val.json", "blip/val.json", *options])
    assert done.exit_code == 0, done.output
    texts = {name: RunFolder(tmp_path / "runs" / name).load().captions for name in ("git-val", "blip-val")}
    assert [captions["a"].text for captions in texts.values()] == ["git", "blip"]
    for name in ("git", "blip", "git"):
        assert CliRunner().invoke(score_command, [f"{name}/val.json", *options]).exit_code == 0
    first, second = sorted((tmp_path / "runs").glob("val*"))
    assert (first.name, RunFolder(first).load().captions["a"].text) == ("val", "git")
    assert RunFolder(second).load().captions["a"].text == "blip"


def test_people_of_two_files_are_two_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And each command says once how it read the references."""
    monkeypatch.chdir(tmp_path)
    for name in ("one", "two"):
        (tmp_path / f"{name}.csv").write_text(f"image_id,caption\n1,a dog\n1,{name}\n")
        caplog.clear()
        with caplog.at_level("INFO"):
            arguments = ["--leave-one-out", f"{name}.csv", "scorer=[bleu]", "resamples=10"]
            done = CliRunner().invoke(score_command, arguments)
        assert done.exit_code == 0, done.output
        assert [message for message in caplog.messages if "read as" in message] == [
            f"{name}.csv: read as CSV: 'image_id' is the image id, 'caption' the references; 1 image"
        ]
    assert len(list((tmp_path / "runs").glob("human*"))) == 2


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "each of 'base', 'tuned', 'people' could be"),
        (["--caption-field", "base"], "no references. Type --references FILE"),
        (["--caption-field", "bse"], "there is no field 'bse' (--caption-field). The fields are 'image', "),
        (["--caption-field", "base", "--references-field", "x"], "there is no field 'x'"),
    ],
)
def test_what_is_not_clear_is_asked(tmp_path: Path, arguments: list[str], said: str) -> None:
    rows = [{key: value for key, value in row.items() if key != "n"} for row in ROWS]
    rows = [
        {"image": row["image"], "base_caption": row["base"], "tuned_caption": row["tuned"]} if not arguments
        else row for row in rows
    ]  # fmt: skip
    done = score(tmp_path, written(tmp_path / "columns.json", rows), *arguments)
    assert isinstance(done.exception, DataError)
    assert said.replace("'base', 'tuned', 'people'", "'base_caption', 'tuned_caption'") in str(done.exception)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "a file of references, not of captions"),
        (["--leave-one-out"], "no image has two references"),
    ],
)
def test_a_file_of_references_alone(tmp_path: Path, options: list[str], said: str) -> None:
    rows = [{"image": name, "captions": ["a dog", "a pet"][: 1 if options else 2]} for name in ("a", "b")]
    done = score(tmp_path, *options, written(tmp_path / "refs.json", rows))
    assert said in str(done.exception)


def test_rejected_references_of_vizwiz_do_not_count_unless_kept(tmp_path: Path) -> None:
    notes: list[dict[str, Any]] = [
        {"image_id": 1, "caption": "a dog", "is_rejected": False, "is_precanned": False},
        {
            "image_id": 1,
            "caption": "Quality issues are too severe.",
            "is_rejected": False,
            "is_precanned": True,
        },
        {"image_id": 1, "caption": "asdf", "is_rejected": True, "is_precanned": False},
    ]
    annotations = written(tmp_path / "val.json", {"images": [{"id": 1}], "annotations": notes})
    captions = written(tmp_path / "caps.json", [{"image_id": 1, "caption": "a dog"}])
    assert score(tmp_path, captions, "--references", annotations).exit_code == 0
    run = RunFolder(tmp_path / "out").load()
    assert run.items[0].references == ("a dog",)
    assert run.manifest.dataset == "val.json, without rejected and precanned references"
    assert run.manifest.identity["data"]["rejected"] is None
    done = score(tmp_path, captions, "--references", annotations, "data.rejected=keep", f"runs={tmp_path}")
    assert "data.rejected" in str(done.exception)  # the folder holds a run by the other rule


@pytest.mark.parametrize(
    ("data", "images", "shown"),
    [("COCO Karpathy test", 5_000, True), ("COCO Karpathy test", 50, False), ("refs.json", 5_000, False)],
)
def test_published_scores_stand_only_beside_their_split(
    tmp_path: Path, data: str, images: int, shown: bool
) -> None:
    items = [Item(str(number), None, ("a dog",)) for number in range(images)]
    run = scored_run(tmp_path / "git", {"0": "a dog"}, {"CIDEr": [0.5]}, items, dataset=data)
    done = CliRunner().invoke(leaderboard_command, [str(run), "--published", "--format", "markdown"])
    assert done.exit_code == 0, done.output
    assert f"Data: {data}, {images:,} images" in done.output
    assert ("*145.8*" in done.output) == shown
    assert ("no published scores are shown" in done.output) != shown
