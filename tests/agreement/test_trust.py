"""Trust in metrics: intervals over images, paired tests, metrics of one's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluator import trust
from evaluator.agreement.function_metric import FunctionMetric
from evaluator.agreement.judgements import Collection, Judged
from evaluator.agreement.trust import gap, with_images
from evaluator.core.errors import ConfigError, DataError
from evaluator.report.text.trust import rows
from evaluator.scorers.cider import CIDEr


def number(caption: str, references: Sequence[str]) -> float:
    """The number that the caption is."""
    return float(caption)


def noisy(caption: str, references: Sequence[str]) -> float:
    return float(caption) + np.random.default_rng(int(caption)).normal(scale=40)


@pytest.fixture
def collection() -> Collection:
    """100 images with three captions each, whose texts are numbers that people rate higher when larger."""
    generator = np.random.default_rng(0)
    judged = tuple(
        Judged(f"{image}", str(value), ("1",), (float(value // 20 + generator.integers(2)),))
        for image in range(100)
        for value in generator.integers(100, size=3)
    )
    return Collection("numbers", judged, ("kendall_tau_c", "pairwise_accuracy"), "none", "ratings:each")


def test_a_function_is_a_metric(collection: Collection) -> None:
    [found] = trust(number, collection, resamples=200)
    [one] = found.agreements
    assert (one.metric, one.images, one.pairs) == ("number", 100, 300)
    assert one.low < one.value < one.high
    assert one.signature.startswith(
        "kendall_tau_c|collection:numbers|ratings:each|resampled:images|metric:number"
    )


def test_the_interval_resamples_images_and_not_captions(collection: Collection) -> None:
    """The same captions ten times are no more evidence, so that the interval stays as wide."""
    [once] = trust(number, collection, resamples=300)
    ten = replace(
        collection,
        judged=tuple(replace(one, system=str(copy)) for one in collection.judged for copy in range(10)),
    )
    [repeated] = trust(number, ten, resamples=300)
    widths = [found.agreements[0].high - found.agreements[0].low for found in (once, repeated)]
    assert widths[0] == pytest.approx(widths[1], rel=0.05)


def test_two_metrics_are_compared_on_the_same_resamples(collection: Collection) -> None:
    [found] = trust([noisy, number], collection, resamples=200)
    best, worse = found.ranked()
    assert (best.metric, found.behind_best(best)) == ("number", None)
    behind = found.behind_best(worse)
    assert behind
    assert behind.low > 0
    assert (behind.p_value, behind.p_text) == (pytest.approx(2 / 201), "p < 0.01")
    same = gap(best, best)
    assert (same.value, same.low, same.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_a_lower_score_may_be_the_better_one(collection: Collection) -> None:
    class Errors(FunctionMetric):
        def score(self, items, captions):  # type: ignore[no-untyped-def]
            return [replace(one, higher_is_better=False) for one in super().score(items, captions)]

    [upright] = trust(number, collection, resamples=2)
    [turned] = trust([Errors(number)], collection, resamples=2)
    assert turned.agreements[0].value == -upright.agreements[0].value


def test_captions_without_a_score_are_left_out(collection: Collection) -> None:
    def sometimes(caption: str, references: Sequence[str]) -> float:
        return float("nan") if int(caption) % 2 else float(caption)

    [found] = trust(sometimes, collection, resamples=2)
    assert 0 < found.agreements[0].pairs < 300


def test_a_metric_that_cannot_be_computed_says_why(collection: Collection) -> None:
    [found] = trust("CLIPScore", collection, resamples=2)
    assert not found.agreements
    assert [one.name for one in found.not_computed] == ["CLIPScore", "RefCLIPScore"]


def test_a_scorer_with_options_of_its_own_that_scores_all_captions_alike(collection: Collection) -> None:
    [found] = trust([CIDEr(sigma=5)], collection, resamples=2)
    [one] = found.agreements
    assert "sigma:5" in one.signature
    assert math.isnan(one.value)
    [row] = rows([found])
    assert (row["value"], row["low"], row["high"]) == (None, None, None)


def test_pictures_come_from_a_folder(collection: Collection, tmp_path: Path) -> None:
    (tmp_path / "0.jpg").touch()
    pictures = {one.image: one.picture for one in with_images(collection, tmp_path).judged}
    assert pictures["0"] == tmp_path / "0.jpg"
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="none of the 100 pictures"):
        trust(number, collection, images=empty)


def test_unknown_statistics_are_listed(collection: Collection) -> None:
    with pytest.raises(ConfigError, match=r"'tau' is not a statistic.*kendall_tau_c"):
        trust(number, collection, ["tau"])  # type: ignore[list-item]
