"""Stratified samples: of the right size, in proportion, the same for the same seed."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from evaluator.core import Item
from evaluator.data.sampling import stratified
from evaluator.store.run_folder import RunFolder

tags = st.lists(st.sampled_from([("cat",), ("dog",), ("bird",), ()]), min_size=1, max_size=60)


@given(tags, st.integers(1, 70), st.integers(0, 5))
def test_each_stratum_gives_its_share(some: list[tuple[str, ...]], size: int, seed: int) -> None:
    items = [Item(str(place), None, tags=of_item) for place, of_item in enumerate(some)]
    drawn = stratified(items, size, seed)
    assert len(drawn) == min(size, len(items))
    assert drawn == stratified(items, size, seed)
    assert [int(item.id) for item in drawn] == sorted(int(item.id) for item in drawn)
    whole, part = Counter(item.tags for item in items), Counter(item.tags for item in drawn)
    if any(some):
        for stratum, count in whole.items():
            assert abs(part[stratum] - count * len(drawn) / len(items)) < 1


def test_without_tags_short_and_long_references_are_both_there() -> None:
    items = [Item(str(n), None, (" ".join(["word"] * (5 if n < 60 else 20)),)) for n in range(80)]
    drawn = stratified(items, 8, seed=0)
    assert sum(len(item.references[0].split()) == 20 for item in drawn) == 2


def test_another_seed_is_another_sample() -> None:
    items = [Item(str(n), None) for n in range(100)]
    assert stratified(items, 10, seed=0) != stratified(items, 10, seed=1)


def test_a_sample_is_scored_as_within_the_whole(tmp_path: Path, command: Callable[..., Any]) -> None:
    common = ["run", "model=tiny-git", "scorer=[cider]"]
    assert command(*common, "name=whole").returncode == 0
    assert command(*common, "name=part", "sample=20", "sample_seed=3").returncode == 0
    whole, part = (RunFolder(tmp_path / "runs" / name) for name in ("whole", "part"))
    ids = [item.id for item in part.load().items]
    assert len(ids) == 20
    difference = part.load().per_image.loc[ids, "CIDEr"] - whole.load().per_image.loc[ids, "CIDEr"]
    assert difference.abs().max() < 1e-12
    score = json.loads((part.path / "scores.json").read_text())["scores"]["CIDEr"]
    assert "|idf:demo-" in score["signature"]
    assert score["low"] < score["value"] < score["high"]
    again = command("score", "runs/part")
    assert again.returncode == 0, again.stderr
    rescored = json.loads((part.path / "scores.json").read_text())["scores"]["CIDEr"]
    assert rescored == score
