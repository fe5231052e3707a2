"""Parts of a run that were made apart become one run; what does not fit is refused."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.core.errors import StoreError
from evaluator.store import own_items
from evaluator.store.merge import merge, parts_of
from evaluator.store.run import Run
from evaluator.store.run_folder import RunFolder
from tests.scored_runs import IDENTITY, scored_run


def part(path: Path, index: int, ids: str, count: int = 2, **manifest: object) -> Run:
    """A shard with two requests for each image: one that brought nothing, and one with the caption."""
    items = [Item(item_id, None, (f"a dog {item_id}",)) for item_id in ids]
    about = {"choices": {"data": "pets", "model": "git", "prompt": "none"}, "name": path.name} | manifest
    scored_run(path, {}, {}, items, config={"shard": f"{index}/{count}"}, **about)
    with RunFolder(path).ledger() as ledger:
        for item_id in ids:
            lost = ledger.sent(item_id, 0.5)
            ledger.ended(lost, "torn", 0.125, None)
            request = ledger.sent(item_id, 0.5)
            caption = Caption(item_id, Outcome.OK, Reply(f"a {item_id}"), cost_usd=0.25, requests=(request,))
            ledger.record(caption)
    return RunFolder(path).load()


def test_the_whole_run_costs_what_its_parts_cost(tmp_path: Path) -> None:
    parts = [part(tmp_path / "p-shard2of2", 2, "bd"), part(tmp_path / "p-shard1of2", 1, "ace")]
    found = parts_of(parts)
    assert (found.name, found.missing) == ("p", [])
    run = merge(found, RunFolder(tmp_path / "p"))
    assert [item.id for item in run.items] == list("abcde")
    assert {item_id: caption.text for item_id, caption in run.captions.items()} == {
        item_id: f"a {item_id}" for item_id in "abcde"
    }
    assert run.attempts.cost_usd == 5 * 0.25 + 5 * 0.125
    assert run.attempts.last_request == 10
    assert not run.attempts.unanswered
    assert run.config["shard"] is None
    assert run.manifest.images == 5


def test_missing_shards_are_named(tmp_path: Path) -> None:
    found = parts_of([part(tmp_path / "p-shard2of4", 2, "b", 4), part(tmp_path / "p-shard4of4", 4, "d", 4)])
    assert found.missing == ["1/4", "3/4"]


def test_parts_of_different_runs_are_refused(tmp_path: Path) -> None:
    other = {**IDENTITY, "prompt": {"name": "none", "text": "Describe"}}
    parts = [part(tmp_path / "a", 1, "a"), part(tmp_path / "b", 2, "b", identity=other)]
    with pytest.raises(StoreError, match=r"not parts of one run:\n  prompt\.text: '' and 'Describe'"):
        parts_of(parts)


def test_an_image_in_two_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="both hold 1 of the images, such as 'b'"):
        parts_of([part(tmp_path / "x", 1, "ab"), part(tmp_path / "y", 2, "bc")])


def test_shards_of_different_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="shards of 2 and of 3"):
        parts_of([part(tmp_path / "x", 1, "ab"), part(tmp_path / "y", 3, "cd", 3)])


def test_a_folder_that_is_there_stays(tmp_path: Path) -> None:
    parts = parts_of([part(tmp_path / "x", 1, "a"), part(tmp_path / "y", 2, "b")])
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(StoreError, match="is there already"):
        merge(parts, RunFolder(tmp_path / "mine"))
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"


def test_a_merge_that_is_stopped_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parts = parts_of([part(tmp_path / "x", 1, "a"), part(tmp_path / "y", 2, "b")])

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", stopped)
        with pytest.raises(KeyboardInterrupt):
            merge(parts, RunFolder(tmp_path / "p"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "y"]
    assert len(merge(parts, RunFolder(tmp_path / "p")).captions) == 2


def test_pictures_of_somebody_elses_part_are_not_believed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [part(tmp_path / "x", 1, "a"), part(tmp_path / "y", 2, "b")]
    assert merge(parts_of(parts), RunFolder(tmp_path / "own")).has_own_items
    content = (tmp_path / "y" / "items.jsonl").read_bytes().replace(b'"image":null', b'"image":"/etc/passwd"')
    assert b"passwd" in content
    (tmp_path / "y" / "items.jsonl").write_bytes(content)
    assert not own_items.were_written_here(hashlib.sha256(content).hexdigest())
    foreign = [RunFolder(tmp_path / name).load() for name in ("x", "y")]
    assert not merge(parts_of(foreign), RunFolder(tmp_path / "foreign")).has_own_items
