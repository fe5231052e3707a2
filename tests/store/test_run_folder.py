"""A run folder holds what was put into it, whatever happens to the process or the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.core import Caption, Item, Measurement, Outcome, Reply, Results, Score
from evaluator.core.errors import StoreError
from evaluator.store.run_folder import RunFolder

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
    run = RunFolder(path)
    run.begin({"identity": {}}, "data: {}\n", items or [Item("1", None, ("a dog",))])
    return run


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
    caption = run.captions()["1"]
    assert (caption.source, caption.text, caption.seconds) == (source, "a dog", 0.5)
    with run.ledger() as record:
        record(caption)
    assert json.loads((tmp_path / "captions.jsonl").read_text().splitlines()[-1])["source"] == source
    assert run.captions()["1"] == caption


@settings(max_examples=60, deadline=None)
@given(st.lists(CAPTIONS, max_size=6))
def test_captions_come_back_unchanged(
    tmp_path_factory: pytest.TempPathFactory, captions: list[Caption]
) -> None:
    run = begun(tmp_path_factory.mktemp("run"))
    with run.ledger() as record:
        for caption in captions:
            record(caption)
    assert run.captions() == {caption.item_id: caption for caption in captions}


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(Item, ANY_TEXT, st.none(), st.lists(ANY_TEXT, max_size=3).map(tuple)), max_size=4))
def test_items_come_back_unchanged(tmp_path_factory: pytest.TempPathFactory, items: list[Item]) -> None:
    run = begun(tmp_path_factory.mktemp("run"))
    run.begin({}, "", items)
    assert run.items() == items


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 400))
def test_a_torn_tail_costs_its_own_line_only(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    run = begun(tmp_path_factory.mktemp("run"))
    captions = [Caption(str(i), Outcome.OK, Reply(f"a dog\u2028number {i}")) for i in range(4)]
    with run.ledger() as record:
        for caption in captions:
            record(caption)
    path = run.path / "captions.jsonl"
    content = path.read_bytes()
    ends = [place + 1 for place, byte in enumerate(content) if byte == 10]
    path.write_bytes(content[:cut])
    # A line that lacks nothing but its line break is whole.
    kept = captions[: sum(end - 1 <= cut for end in ends)]
    assert list(run.captions().values()) == kept
    with run.ledger() as record:
        record(captions[3])
    again = list(run.captions().values())
    assert again == [*kept, captions[3]] if captions[3] not in kept else again == kept


def test_a_ledger_from_before_answers_had_a_time_is_read(tmp_path: Path) -> None:
    line = {"item_id": "1", "outcome": "ok", "reply": {"text": "a dog"}, "error": "", "seconds": 0.5}
    run = begun(tmp_path / "run")
    (run.path / "captions.jsonl").write_text(
        json.dumps(line | {"attempts": 1, "cost_usd": None, "cached": False}) + "\n"
    )
    assert run.captions() == {"1": Caption("1", Outcome.OK, Reply("a dog"), seconds=0.5)}


def test_the_last_line_of_an_image_counts(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    with run.ledger() as record:
        record(Caption("1", Outcome.ERROR, error="no answer"))
        record(Caption("1", Outcome.OK, Reply("a dog")))
    assert run.captions()["1"].text == "a dog"


def test_the_cost_is_of_every_attempt_not_of_the_last_ones(tmp_path: Path) -> None:
    run = RunFolder(tmp_path / "run")
    assert run.cost_usd() is None
    with run.ledger() as record:
        record(Caption("1", Outcome.OK, Reply("a dog")))
        assert run.cost_usd() is None, "no known cost is not none"
        for cost_usd in (0.25, 0.5, None):
            record(Caption("2", Outcome.ERROR, error="torn", cost_usd=cost_usd))
    assert run.cost_usd() == 0.75


def test_one_process_at_a_time(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    with run.ledger(), pytest.raises(StoreError, match="another process is writing"), run.ledger():
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_a_full_disk_says_so(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    (run.path / "captions.jsonl").symlink_to("/dev/full")
    with (
        pytest.raises(StoreError, match=r"No space left on device\. Every caption written so far is kept"),
        run.ledger() as record,
    ):
        record(Caption("1", Outcome.OK, Reply("a dog")))


def test_a_file_that_may_not_grow_keeps_every_whole_line(tmp_path: Path) -> None:
    """The kernel refuses to grow a file past a limit as on a full disk: in the middle of a line."""
    script = f"""
import resource, signal
from pathlib import Path
from evaluator.core import Caption, Outcome, Reply
from evaluator.core.errors import StoreError
from evaluator.store.run_folder import RunFolder
run = RunFolder(Path({str(tmp_path / "run")!r}))
run.begin({{}}, "", [])
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with run.ledger() as record:
        for number in range(100):
            record(Caption(str(number), Outcome.OK, Reply("a dog on a red sofa")))
            print(number, flush=True)
except StoreError as error:
    print("StoreError:", error)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    *recorded, message = done.stdout.splitlines()
    assert "File too large. Every caption written so far is kept" in message
    run = RunFolder(tmp_path / "run")
    assert list(run.captions()) == recorded
    assert not (run.path / "captions.jsonl").read_bytes().endswith(b"\n"), (
        "no line was torn: nothing was tested"
    )
    with run.ledger() as record:
        record(Caption("more", Outcome.OK, Reply("a cat")))
    assert list(run.captions()) == [*recorded, "more"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="there is no /proc here")
def test_a_disk_that_may_not_be_written() -> None:
    """Not even root makes a folder in /proc."""
    with pytest.raises(StoreError, match=r"cannot write to /proc/run: .*mend its permissions"):
        begun(Path("/proc/run"))


def test_a_path_that_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot write to .*file/run"):
        begun(tmp_path / "file" / "run")


def test_results_come_back(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    captions = {
        "42": Caption("42", Outcome.OK, Reply("a \ud800 dog")),
        "b": Caption("b", Outcome.REFUSED, error="no people"),
        "007": Caption("007", Outcome.OK, Reply("a cat")),
    }
    measurement = Measurement("CIDEr", np.array([[0.5, 1.0], [0.0, 0.0]]), "mean", "CIDEr|v:1")
    results = Results(
        images=4,
        outcomes={"ok": 2, "refused": 1},
        scores=(Score("CIDEr", 0.5, 0.4, 0.6, "CIDEr|v:1", images=1), Score("SPICE", reason="no Java")),
        images_per_second=3.5,
        fingerprint="f",
    )
    run.write_results(results, captions, ["42", "007"], [measurement])
    assert run.results() == results
    assert (results.captioned, results.coverage, results.is_incomplete) == (2, 0.5, False)
    ids, (back,) = run.measurements()
    assert ids == ["42", "007"]
    assert (back.name, back.aggregate, back.signature, back.value) == ("CIDEr", "mean", "CIDEr|v:1", 0.5)
    table = pd.read_parquet(run.path / "per_image.parquet")
    assert table.outcome.to_dict() == {"42": "ok", "b": "refused", "007": "ok"}
    assert table.caption.fillna("none").to_list() == ["a ? dog", "none", "a cat"]
    assert table.CIDEr.isna().to_list() == [False, True, True]
    scores = json.loads((run.path / "scores.json").read_text())
    assert scores["scores"]["SPICE"] == {"reason": "no Java", "computed": False}
    assert scores["captioned"] == 2
    coco = json.loads((run.path / "captions.coco.json").read_text())
    assert [entry["image_id"] for entry in coco] == [42, "007"]


def test_folders_that_are_no_runs(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is not a run folder"):
        RunFolder.existing(tmp_path)
    run = begun(tmp_path / "run")
    with pytest.raises(StoreError, match=r"was not scored yet\. Type: evaluator score"):
        run.results()
    (run.path / "manifest.json").write_text('{"format_version": 99}')
    with pytest.raises(StoreError, match="format version 99"):
        run.manifest()
    (run.path / "manifest.json").write_text("{")
    with pytest.raises(StoreError, match="is not JSON"):
        run.manifest()


@pytest.mark.parametrize(
    ("changed", "lacks"),
    [
        ({"identity": None}, "identity"),
        ({"choices": None, "dataset_digest": None}, "choices, dataset_digest"),
        ({"identity": ["model"]}, "identity"),
        ({"choices": {"model": "git"}}, "choices.data, choices.prompt"),
    ],
)
def test_a_manifest_that_does_not_say_what_was_asked_for(
    changed: dict[str, object], lacks: str, tmp_path: Path
) -> None:
    run = begun(tmp_path / "run")
    choices = {"data": "coco", "model": "git", "prompt": "none"}
    run.update_manifest({"choices": choices, "identity": {}, "dataset_digest": "d"})
    assert run.manifest()["choices"] == choices
    run.update_manifest(changed)
    with pytest.raises(
        StoreError, match=rf"manifest\.json does not say .*: it lacks {lacks}\. Put the file back"
    ):
        run.manifest()


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    run = begun(tmp_path / "run")
    before = (run.path / "manifest.json").read_bytes()
    with pytest.raises(TypeError):
        run.update_manifest({"what": object()})
    assert (run.path / "manifest.json").read_bytes() == before
    assert not [path for path in run.path.iterdir() if path.name.startswith(".")]
