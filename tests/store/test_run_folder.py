"""A run folder holds what was put into it, whatever happens to the process or the disk."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.core import (
    Caption,
    Item,
    Measurement,
    NotComputed,
    Outcome,
    Reply,
    Results,
    Score,
    Signature,
)
from evaluator.core.errors import StoreError
from evaluator.store.manifest import Environment, Manifest
from evaluator.store.run_files import FolderFiles
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import scored_run

CHOICES = {"data": "coco", "model": "git", "prompt": "none"}
MANIFEST = Manifest(CHOICES, {"data": {}, "model": {}, "prompt": {}}, "d")

ANY_TEXT = st.text(st.characters(categories=None), max_size=40)  # lone surrogates too
REPLIES = st.builds(Reply, ANY_TEXT, st.sampled_from(["", "v1"]), st.none() | st.integers(0, 9))
CAPTIONS = st.builds(
    Caption,
    ANY_TEXT,
    st.sampled_from(Outcome),
    st.none() | REPLIES,
    ANY_TEXT,
    st.floats(0, 9),
    st.integers(1, 5),
)


def begun(path: Path, items: list[Item] | None = None) -> RunFolder:
    folder = RunFolder(path)
    folder.begin(MANIFEST, {"data": {}}, items or [Item("1", None, ("a dog",))])
    return folder


@pytest.mark.parametrize(
    ("cached", "reason", "source"),
    [(False, "stop", "model"), (True, "stop", "cache"), (True, "supplied", "file"), (True, "", "cache")],
)
def test_captions_of_the_first_version_have_a_source(
    cached: bool, reason: str, source: str, tmp_path: Path
) -> None:
    run = begun(tmp_path)
    line = {"item_id": "1", "outcome": "ok", "reply": {"text": "a dog", "finish_reason": reason}}
    rest = {
        "error": "",
        "seconds": 0.5,
        "attempts": 1,
        "cost_usd": None,
        "cached": cached,
        "answered_at": None,
    }
    (tmp_path / "captions.jsonl").write_text(json.dumps(line | rest) + "\n")
    caption = run.load().captions["1"]
    assert (caption.source, caption.text, caption.seconds) == (source, "a dog", 0.5)
    with run.ledger() as ledger:
        ledger.record(caption)
    assert json.loads((tmp_path / "captions.jsonl").read_text().splitlines()[-1])["source"] == source
    assert run.load().captions["1"] == caption


@settings(max_examples=60, deadline=None)
@given(st.lists(CAPTIONS, max_size=6))
def test_captions_come_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, captions: list[Caption]
) -> None:
    run = begun(tmp_path_factory.mktemp("run"))
    with run.ledger() as ledger:
        for caption in captions:
            ledger.record(caption)
    assert run.load().captions == {caption.item_id: caption for caption in captions}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.builds(Item, ANY_TEXT, st.none(), st.lists(ANY_TEXT, max_size=3).map(tuple)),
        max_size=4,
        unique_by=lambda item: item.id,
    )
)
def test_items_come_back_unchanged(tmp_path_factory: pytest.TempPathFactory, items: list[Item]) -> None:
    run = begun(tmp_path_factory.mktemp("run"))
    run.begin(MANIFEST, {}, items)
    assert run.load().items == items


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 400))
def test_a_torn_tail_costs_its_own_line_only(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    run = begun(tmp_path_factory.mktemp("run"))
    captions = [Caption(str(i), Outcome.OK, Reply(f"a dog\u2028number {i}")) for i in range(4)]
    with run.ledger() as ledger:
        for caption in captions:
            ledger.record(caption)
    path = run.path / "captions.jsonl"
    content = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(content) if byte == 10]
    path.write_bytes(content[:cut])
    # A line that lacks nothing but its line break is whole.
    kept = captions[: sum(end - 1 <= cut for end in ends)]
    assert list(run.load().captions.values()) == kept
    with run.ledger() as ledger:
        ledger.record(captions[3])
    again = list(run.load().captions.values())
    assert again == [*kept, captions[3]] if captions[3] not in kept else again == kept


def test_a_ledger_from_before_answers_had_a_time_is_read(tmp_path: Path) -> None:
    line = {"item_id": "1", "outcome": "ok", "reply": {"text": "a dog"}, "error": "", "seconds": 0.5}
    run = begun(tmp_path / "run")
    (run.path / "captions.jsonl").write_text(
        json.dumps(line | {"attempts": 1, "cost_usd": None, "cached": False}) + "\n"
    )
    assert run.load().captions == {"1": Caption("1", Outcome.OK, Reply("a dog"), seconds=0.5)}


def test_the_last_line_of_an_image_counts(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    with run.ledger() as ledger:
        ledger.record(Caption("1", Outcome.ERROR, error="no answer"))
        ledger.record(Caption("1", Outcome.OK, Reply("a dog")))
    assert run.load().captions["1"].text == "a dog"


def test_the_cost_is_of_every_attempt_not_of_the_last_ones(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    assert run.load().attempts.cost_usd is None
    with run.ledger() as ledger:
        ledger.record(Caption("1", Outcome.OK, Reply("a dog")))
        assert ledger.attempts.cost_usd is None, "no known cost is not none"
        for cost_usd in (0.25, 0.5, None):
            ledger.record(Caption("2", Outcome.ERROR, error="torn", cost_usd=cost_usd))
        assert ledger.attempts.cost_usd == 0.75
    assert run.load().attempts.cost_usd == 0.75


def test_one_process_at_a_time(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    with run.ledger(), pytest.raises(StoreError, match="another process is writing"), run.ledger():
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_says_so(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    with run.ledger() as ledger:
        full = os.open("/dev/full", os.O_WRONLY)
        os.dup2(full, ledger.captions.file.fileno())
        with pytest.raises(
            StoreError, match=r"No space left on device\. Every caption written so far is kept"
        ):
            ledger.record(Caption("1", Outcome.OK, Reply("a dog")))
        os.close(full)
        os.dup2(os.open(run.path / "captions.jsonl", os.O_RDWR), ledger.captions.file.fileno())
    assert run.load().captions == {}


def test_a_file_that_may_not_grow_keeps_every_whole_line(tmp_path: Path) -> None:
    """The kernel refuses to grow a file past a limit as on a full disk: in the middle of a line."""
    script = f"""
import resource, signal
from pathlib import Path
from evaluator.core import Caption, Outcome, Reply
from evaluator.core.errors import StoreError
from evaluator.store.manifest import Manifest
from evaluator.store.run_folder import RunFolder
run = RunFolder(Path({str(tmp_path / "run")!r}))
run.begin(Manifest({{}}, {{}}, ""), {{}}, [])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with run.ledger() as ledger:
        for number in range(100):
            ledger.record(Caption(str(number), Outcome.OK, Reply("a dog on a red sofa")))
            print(number, flush=True)
except StoreError as error:
    print("StoreError:", error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *recorded, message = done.stdout.splitlines()
    assert "File too large. Every caption written so far is kept" in message
    run = RunFolder(tmp_path / "run")
    assert list(run.load().captions) == recorded
    assert not (run.path / "captions.jsonl").read_bytes().endswith(b"\n"), (
        "no line was torn: nothing was tested"
    )
    with run.ledger() as ledger:
        ledger.record(Caption("more", Outcome.OK, Reply("a cat")))
    assert list(run.load().captions) == [*recorded, "more"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc here")
def test_a_disk_that_may_not_be_written() -> None:
    """Not even root makes a folder in /proc."""
    with pytest.raises(StoreError, match=r"cannot write to /proc/run: .*correct its permissions"):
        begun(Path("/proc/run"))


def test_a_path_that_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write to .*file/run"):
        begun(tmp_path / "file" / "run")


def test_results_come_back(tmp_path: Path) -> None:
    folder = begun(tmp_path / "run", [Item(item_id, None, ("a dog",)) for item_id in ("42", "b", "007", "1")])
    captions = {
        "42": Caption("42", Outcome.OK, Reply("a \ud800 dog")),
        "b": Caption("b", Outcome.REFUSED, error="no people"),
        "007": Caption("007", Outcome.OK, Reply("a cat")),
    }
    with folder.ledger() as ledger:
        for caption in captions.values():
            ledger.record(caption)
    measurement = Measurement("CIDEr", np.array([[0.5, 1.0], [0.0, 0.0]]), "mean", Signature("CIDEr|v:1"))
    results = Results(
        images=4,
        outcomes={Outcome.OK: 2, Outcome.REFUSED: 1},
        scores=(Score("CIDEr", 0.5, 0.4, 0.6, Signature("CIDEr|v:1"), images=1),),
        not_computed=(NotComputed("SPICE", "no Java"),),
        images_per_second=3.5,
        fingerprint="f",
    )
    ids = ["42", "007"]
    folder.write_results(folder.load().scored(results, ids, [measurement]))
    run = folder.load()
    assert run.results == results
    assert (results.captioned, results.coverage, results.is_incomplete) == (2, 0.5, True)
    assert (results.failures, results.not_tried) == ({Outcome.REFUSED: 1}, 1)
    assert run.scored_ids == ids
    back = run.measurements["CIDEr"]
    assert (back.name, back.aggregate, back.signature, back.value) == ("CIDEr", "mean", "CIDEr|v:1", 0.5)
    table = pd.read_parquet(folder.path / "per_image.parquet")
    assert table.outcome.to_dict() == {"42": "ok", "b": "refused", "007": "ok"}
    assert table.caption.fillna("none").to_list() == ["a ? dog", "none", "a cat"]
    assert table.CIDEr.isna().to_list() == [False, True, True]
    pd.testing.assert_frame_equal(table, run.per_image)
    scores = json.loads((folder.path / "scores.json").read_text())
    assert scores["scores"]["SPICE"] == {"reason": "no Java", "computed": False}
    assert scores["captioned"] == 2
    coco = json.loads((folder.path / "captions.coco.json").read_text())
    assert [entry["image_id"] for entry in coco] == [42, "007"]


def test_folders_that_are_not_runs(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a run folder"):
        RunFolder.existing(tmp_path)
    folder = begun(tmp_path / "run")
    with pytest.raises(StoreError, match=r"was not scored yet\. Type: evaluator score"):
        _ = folder.load().results
    (folder.path / "manifest.json").write_text('{"format_version": 99}')
    with pytest.raises(StoreError, match="format version 99"):
        _ = folder.load().manifest
    (folder.path / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match="is not JSON"):
        _ = folder.load().manifest


def test_a_manifest_comes_back_with_every_environment(tmp_path: Path) -> None:
    first = Environment({"python": "3.11"}, "abc", "Linux", ("run", "model=git"), "2026-01-31T12:00:00+00:00")
    manifest = MANIFEST.in_environment(first).in_environment(Environment(started="2026-02-01T00:00:00+00:00"))
    folder = RunFolder(tmp_path / "run")
    folder.begin(manifest, {}, [])
    assert folder.load().manifest == manifest
    document = json.loads((folder.path / "manifest.json").read_text())
    assert document["command"] == ["run", "model=git"]
    assert [one["started"] for one in document["resumed"]] == ["2026-02-01T00:00:00+00:00"]


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        ({"identity": None}, "identity"),
        ({"choices": None, "dataset_digest": None}, "choices"),
        ({"identity": ["model"]}, "identity"),
        ({"dataset_digest": 7}, "dataset_digest"),
        ({"choices": {"model": "git"}}, "choices lacks data, prompt"),
    ],
)
def test_a_manifest_that_does_not_say_what_was_asked_for(
    changed: dict[str, object], lacks: str, tmp_path: Path
) -> None:
    folder = begun(tmp_path / "run")
    path = folder.path / "manifest.json"
    assert folder.load().manifest.choices == CHOICES
    path.write_text(json.dumps(json.loads(path.read_text()) | changed))
    with pytest.raises(StoreError, match=rf"manifest\.json is not what .*{lacks}.* Restore the file"):
        _ = folder.load().manifest


def test_a_file_that_is_no_ordinary_file_is_not_read(tmp_path: Path) -> None:
    folder = begun(tmp_path / "run")
    (folder.path / "captions.jsonl").symlink_to("/dev/zero")
    with pytest.raises(StoreError, match=r"captions\.jsonl: it is a symbolic link"):
        _ = folder.load().captions


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    folder = begun(tmp_path / "run")
    before = {path.name: path.read_bytes() for path in folder.path.iterdir()}
    with pytest.raises(TypeError):
        folder.begin(MANIFEST, {"data": {}}, [Item("1", None, (object(),))])  # type: ignore[arg-type]
    assert {path.name: path.read_bytes() for path in folder.path.iterdir()} == before


def test_each_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scored_run(tmp_path / "run", {"1": "a dog", "2": "a cat"}, {"CIDEr": [0.5, 0.7]})
    opened: list[str] = []
    read = FolderFiles.read
    monkeypatch.setattr(FolderFiles, "read", lambda files, name: opened.append(name) or read(files, name))
    run = RunFolder.existing(tmp_path / "run").load()
    for _ in range(2):
        assert run.manifest
        assert run.items
        assert run.captions
        assert run.results
        assert run.measurements
        assert run.scored_ids == ["1", "2"]
        assert len(run.per_image) == 2
        assert run.config == {}
    assert sorted(opened) == sorted(set(opened))
    assert len(opened) == 6, "the table of images is for other programs"


def test_no_key_of_an_older_run_gets_into_a_baseline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    key = "other-key-2718281828459045"
    scored_run(tmp_path / "run", {"1": "a dog"}, {"bleu": [0.5]}, config={"model": {"token": key}})
    monkeypatch.setenv("OTHER_API_KEY", key)
    with pytest.raises(StoreError, match=r"config\.yaml, was not written: it would hold an API key"):
        RunFolder(tmp_path / "run").export(tmp_path / "baseline.zip")
    assert not (tmp_path / "baseline.zip").exists()
