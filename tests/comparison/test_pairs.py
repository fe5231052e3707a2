"""Differences between runs: which images, which metrics, whose ranks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest

from evaluator.comparison.pairs import PairwiseDifferences, Resampling, compare_pairs, shared_images
from evaluator.core import Item
from evaluator.store.run import Run
from tests.scored_runs import scored_run

MakeRun = Callable[..., Run]


@pytest.fixture
def run(tmp_path: Path) -> MakeRun:
    def make(name: str, scores: Mapping[str, float], signature: str = "CIDEr|n:4") -> Run:
        captions = dict.fromkeys(scores, "a dog")
        items = [Item(item_id, None) for item_id in scores]
        metrics = {"CIDEr": list(scores.values())}
        return Run(scored_run(tmp_path / name, captions, metrics, items=items, signature=signature))

    return make


def compared(runs: Sequence[Run], resamples: int = 1000) -> PairwiseDifferences:
    return compare_pairs(runs, Resampling(resamples=resamples))


def values(sequence: Sequence[float]) -> dict[str, float]:
    return {str(number): value for number, value in enumerate(sequence)}


NOISE = np.random.default_rng(0).normal(0, 0.3, 80)
HARD = np.random.default_rng(1).normal(1, 1, 80)


def test_images_are_those_that_all_captioned_in_one_order(run: MakeRun) -> None:
    runs = [run("a", {"1": 0.1, "2": 0.2, "3": 0.3}), run("b", {"3": 0.6, "1": 0.4, "9": 1.0})]
    shared = shared_images(runs)
    first, second = shared.measurements
    assert shared.ids == ("1", "3")
    assert shared.own_images == (3, 3)
    assert not shared.are_all
    assert first["CIDEr"].statistics[:, 0].tolist() == [0.1, 0.3]
    assert second["CIDEr"].statistics[:, 0].tolist() == [0.4, 0.6]
    difference = compared(runs).difference("CIDEr", 1, 0)
    assert difference is not None
    assert difference.value == pytest.approx(0.3)
    assert (difference.images, difference.wins) == (2, 2)


def test_signatures_name_the_images_that_are_shared(run: MakeRun) -> None:
    runs = [run("a", values([0.1, 0.2, 0.3]), "m|images:3"), run("b", values([0.5, 0.1]), "m|images:2")]
    assert [measured["CIDEr"].signature for measured in shared_images(runs).measurements] == [
        "m|images:2"
    ] * 2


def test_what_was_computed_otherwise_has_no_difference(run: MakeRun) -> None:
    found = compared([run("a", values([0.1, 0.2])), run("b", values([0.1, 0.2]), signature="CIDEr|n:3")])
    assert found.difference("CIDEr", 0, 1) is None
    assert found.ranks("CIDEr") == [None, None]


def test_a_difference_is_reversed(run: MakeRun) -> None:
    found = compared([run("a", values(HARD + NOISE)), run("b", values(HARD))])
    one, other = found.difference("CIDEr", 0, 1), found.difference("CIDEr", 1, 0)
    assert one is not None
    assert other is not None
    assert (one.value, one.low, one.high) == (-other.value, -other.high, -other.low)
    assert (one.wins, one.losses) == (other.losses, other.wins)
    assert one.p_corrected == other.p_corrected


def test_ranks_tell_ties_from_certainties(run: MakeRun) -> None:
    runs = [
        run("level", values(HARD + 0.05 * NOISE)),
        run("best", values(HARD + 0.5)),
        run("also level", values(HARD)),
        run("last", values(HARD - 0.5)),
    ]
    found = compared(runs, 500)
    assert found.ranks("CIDEr") == [(2, 3), (1, 1), (2, 3), (4, 4)]
    level = found.differences["CIDEr", 0, 2]
    assert level.p_value < level.p_corrected
    assert found.is_significant("CIDEr", 0, 1)
    assert not found.is_significant("CIDEr", 0, 2)


def test_no_image_in_common(run: MakeRun) -> None:
    found = compared([run("a", {"1": 0.1}), run("b", {"2": 0.2})])
    assert found.images == 0
    assert found.ranks("CIDEr") == [None, None]


def test_a_run_alone(run: MakeRun) -> None:
    found = compared([run("a", {"1": 0.1})])
    assert found.images == 1
    assert found.ranks("CIDEr") == [None]
