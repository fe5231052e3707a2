"""Differences between runs: which images, which metrics, whose ranks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from evaluator.comparison.pairs import Resampling, contrasts, on_shared_images
from evaluator.core import Caption, Item, Measurement, Outcome, Reply, Results, Score
from evaluator.store.run_folder import RunFolder

MakeRun = Callable[..., RunFolder]


@pytest.fixture
def run(tmp_path: Path) -> MakeRun:
    def make(name: str, scores: Mapping[str, float], signature: str = "CIDEr|n:4") -> RunFolder:
        folder = RunFolder(tmp_path / name)
        items = [Item(item_id, None) for item_id in scores]
        folder.begin({"choices": {}, "identity": {}, "dataset_digest": "d"}, "", items)
        captions = {item_id: Caption(item_id, Outcome.OK, Reply("a dog")) for item_id in scores}
        rows = np.array([[value, 1.0] for value in scores.values()])
        measured = Measurement("CIDEr", rows, "mean", signature)
        score = Score("CIDEr", measured.value, signature=signature)
        folder.write_results(
            Results(len(scores), {"ok": len(scores)}, (score,)), captions, list(scores), [measured]
        )
        return folder

    return make


def values(sequence: Sequence[float]) -> dict[str, float]:
    return {str(number): value for number, value in enumerate(sequence)}


NOISE = np.random.default_rng(0).normal(0, 0.3, 80)
HARD = np.random.default_rng(1).normal(1, 1, 80)


def test_images_are_those_that_all_captioned_in_one_order(run: MakeRun) -> None:
    runs = [run("a", {"1": 0.1, "2": 0.2, "3": 0.3}), run("b", {"3": 0.6, "1": 0.4, "9": 1.0})]
    shared, (first, second), _ = on_shared_images(runs)
    assert shared == ["1", "3"]
    assert first["CIDEr"].statistics[:, 0].tolist() == [0.1, 0.3]
    assert second["CIDEr"].statistics[:, 0].tolist() == [0.4, 0.6]
    found = contrasts(runs).difference("CIDEr", 1, 0)
    assert found is not None
    assert found.value == pytest.approx(0.3)
    assert (found.images, found.wins) == (2, 2)


def test_what_depends_on_the_images_is_computed_anew_where_they_differ(run: MakeRun) -> None:
    asked = []

    def rescored(folder: RunFolder, ids: Sequence[str]) -> list[Measurement]:
        asked.append((folder.name, list(ids)))
        return [Measurement("CIDEr", np.array([[9.0, 1.0]] * len(ids)), "mean", "CIDEr|n:4")]

    same = [run("a", values([0.1, 0.2])), run("b", values([0.3, 0.4]))]
    contrasts(same, rescored=rescored)
    assert asked == []
    fewer = [*same, run("c", values([0.5]))]
    found = contrasts(fewer, rescored=rescored)
    assert asked == [("a", ["0"]), ("b", ["0"]), ("c", ["0"])]
    assert [measured["CIDEr"].value for measured in found.measurements] == [9.0, 9.0, 9.0]


def test_what_was_computed_otherwise_has_no_difference(run: MakeRun) -> None:
    found = contrasts([run("a", values([0.1, 0.2])), run("b", values([0.1, 0.2]), signature="CIDEr|n:3")])
    assert found.difference("CIDEr", 0, 1) is None
    assert found.ranks("CIDEr") == [None, None]


def test_a_difference_turns_round(run: MakeRun) -> None:
    found = contrasts([run("a", values(HARD + NOISE)), run("b", values(HARD))])
    one, other = found.difference("CIDEr", 0, 1), found.difference("CIDEr", 1, 0)
    assert one is not None
    assert other is not None
    assert (one.value, one.low, one.high) == (-other.value, -other.high, -other.low)
    assert (one.wins, one.losses) == (other.losses, other.wins)
    assert found.p_value("CIDEr", 0, 1) == found.p_value("CIDEr", 1, 0)


def test_ranks_tell_ties_from_certainties(run: MakeRun) -> None:
    runs = [
        run("level", values(HARD + 0.05 * NOISE)),
        run("best", values(HARD + 0.5)),
        run("also level", values(HARD)),
        run("last", values(HARD - 0.5)),
    ]
    found = contrasts(runs, Resampling(resamples=500))
    assert found.ranks("CIDEr") == [(2, 3), (1, 1), (2, 3), (4, 4)]
    alone = found.found["CIDEr", 0, 1].p_value
    assert alone < found.p_value("CIDEr", 0, 1) <= 6 * alone


def test_no_image_in_common(run: MakeRun) -> None:
    found = contrasts([run("a", {"1": 0.1}), run("b", {"2": 0.2})])
    assert found.images == 0
    assert found.ranks("CIDEr") == [None, None]


def test_a_run_alone(run: MakeRun) -> None:
    found = contrasts([run("a", {"1": 0.1})])
    assert found.images == 1
    assert found.ranks("CIDEr") == [None]
