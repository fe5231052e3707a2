"""Paired tests against scipy's, against what is known in advance, and on published systems."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluator.comparison.paired_tests import (
    detectable,
    differences,
    draw_swaps,
    holm,
    images_needed,
    randomisation_p_values,
    rank_ranges,
)
from evaluator.core import Item, Measurement
from evaluator.scorers.bleu import BLEU
from evaluator.scorers.cider import CIDEr
from evaluator.scorers.rouge import ROUGE


def mean_of(values: np.ndarray, name: str = "mean", higher_is_better: bool = True) -> Measurement:
    rows = np.column_stack([values, np.ones_like(values)])
    return Measurement(name, rows, "mean", name, higher_is_better)


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    hard = generator.normal(size=60)
    return hard + generator.normal(0.16, 0.5, 60), hard + generator.normal(0, 0.5, 60)


def test_the_p_value_is_scipys(pair: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = pair
    (ours,) = randomisation_p_values([mean_of(one)], [mean_of(other)], 20_000, seed=0)
    theirs = stats.permutation_test(
        pair,
        lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
        permutation_type="samples",
        n_resamples=20_000,
        rng=np.random.default_rng(1),
        vectorized=True,
    ).pvalue
    assert 0.01 < theirs < 0.5
    assert ours == pytest.approx(theirs, abs=0.015)


def test_the_interval_is_scipys(pair: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = pair
    for method, scipys in (("percentile", "percentile"), ("bca", "BCa")):
        (ours,) = differences([mean_of(one)], [mean_of(other)], 20_000, method=method)  # type: ignore[arg-type]
        theirs = stats.bootstrap(
            (one, other),
            lambda a, b, axis: np.mean(a, axis=axis) - np.mean(b, axis=axis),
            paired=True,
            n_resamples=20_000,
            method=scipys,
            rng=np.random.default_rng(1),
            vectorized=True,
        )
        low, high = theirs.confidence_interval
        assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.04 * (high - low))
        assert ours.standard_error == pytest.approx(theirs.standard_error, rel=0.05)


def test_a_system_against_itself_is_a_tie() -> None:
    rows = np.random.default_rng(0).random(50)
    (found,) = differences([mean_of(rows)], [mean_of(rows)])
    assert (found.value, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert (found.wins, found.ties, found.losses) == (0, 50, 0)


def test_wins_count_what_is_better(pair: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 2.0, 4.0, 3.0])
    (higher,) = differences([mean_of(one)], [mean_of(other)])
    (lower,) = differences([mean_of(one, higher_is_better=False)], [mean_of(other, higher_is_better=False)])
    assert (higher.wins, higher.ties, higher.losses, higher.gain) == (2, 1, 1, 0.25)
    assert (lower.wins, lower.ties, lower.losses, lower.gain) == (1, 1, 2, -0.25)


def test_the_same_for_the_same_seed_in_any_block_size(
    pair: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = [mean_of(pair[0])], [mean_of(pair[1])]
    whole = differences(ours, theirs, seed=4)
    assert differences(ours, theirs, seed=4) == whole
    assert differences(ours, theirs, seed=5) != whole


def test_swaps_are_fair_and_of_the_right_shape() -> None:
    swaps = np.vstack(list(draw_swaps(13, 4000, seed=0)))
    assert swaps.shape == (4000, 13)
    assert set(np.unique(swaps)) == {0.0, 1.0}
    assert swaps.mean(axis=0) == pytest.approx(np.full(13, 0.5), abs=0.04)


def test_images_without_a_score_take_no_part() -> None:
    one, other = np.zeros((6, 2)), np.zeros((6, 2))
    one[:3], other[:3] = [[0.2, 1], [0.4, 1], [0.6, 1]], [[0.1, 1], [0.3, 1], [0.5, 1]]
    measured = [Measurement("m", rows, "mean", "m") for rows in (one, other)]
    (found,) = differences([measured[0]], [measured[1]])
    assert found.value == pytest.approx(0.1)
    assert (found.wins, found.ties, found.losses) == (3, 0, 0)


@given(st.lists(st.floats(0.0, 1.0), min_size=1, max_size=8))
def test_holm_is_no_less_than_the_p_value_and_no_more_than_bonferroni(p_values: list[float]) -> None:
    corrected = holm(p_values)
    for one, raw in zip(corrected, p_values, strict=True):
        assert raw <= one <= min(1.0, raw * len(p_values)) + 1e-12
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [corrected[place] for place in order] == sorted(corrected)
    assert min(corrected) == min(1.0, min(p_values) * len(p_values))


def test_power_and_the_images_it_takes_belong_together() -> None:
    effect = detectable(0.01)
    assert effect == pytest.approx(0.028, abs=0.001)
    assert images_needed(effect, 0.01, 500) in (500, 501)
    assert images_needed(effect / 2, 0.01, 500) in (2000, 2001)
    assert images_needed(-effect, 0.01, 500) in (500, 501)
    assert images_needed(0.0, 0.01, 500) is None


def test_ranks_admit_ties() -> None:
    better = np.zeros((4, 4), bool)
    better[0, 1:] = True
    better[1, 3] = True
    assert rank_ranges(better) == [(1, 1), (2, 3), (2, 4), (3, 4)]


# --- published systems -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def published(real_data: Path) -> dict[str, tuple[list[Item], list[str]]]:
    texts: dict[int, list[str]] = {}
    for row in json.loads((real_data / "coco" / "captions_karpathy_test.json").read_bytes())["annotations"]:
        texts.setdefault(row["image_id"], []).append(row["caption"])
    systems = {}
    for name in (
        "blip2_opt2.7b_coco_finetuned",
        "blip_vit_l_beam",
        "updown_paddle_xe",
        "instructblip_vicuna7b_zeroshot",
    ):
        rows = json.loads((real_data / "systems" / f"{name}.json").read_bytes())
        rows.sort(key=lambda row: row["image_id"])
        items = [Item(str(row["image_id"]), None, tuple(texts[row["image_id"]])) for row in rows]
        systems[name] = (items, [row["caption"] for row in rows])
    return systems


def test_published_systems_differ_beyond_doubt(
    published: dict[str, tuple[list[Item], list[str]]],
) -> None:
    def measured(name: str) -> list[Measurement]:
        return [found for scorer in (BLEU(), ROUGE(), CIDEr()) for found in scorer.score(*published[name])]

    best, *others = published
    ours = measured(best)
    for name, least in zip(others, (0.05, 0.30, 0.14), strict=True):
        found = {one.metric: one for one in differences(ours, measured(name))}
        assert found["CIDEr"].low > least
        assert found["CIDEr"].p_value == pytest.approx(1 / 1001)
        assert found["CIDEr"].wins > found["CIDEr"].losses
        assert found["BLEU-4"].low > 0
        assert found["ROUGE-L"].high < 0.1
    again = differences(ours, ours)
    assert {(one.value, one.p_value) for one in again} == {(0.0, 1.0)}


def test_a_small_change_is_found_as_often_as_its_power_says(
    published: dict[str, tuple[list[Item], list[str]]],
) -> None:
    """1 % of the captions of a system handed round among their images, 200 times."""
    items, captions = published["blip_vit_l_beam"]
    (whole,) = CIDEr().score(items, captions)
    source = np.random.default_rng(7)
    found, errors, gains = [], [], []
    for seed in range(200):
        chosen = source.choice(len(items), size=len(items) // 100, replace=False)
        said = list(captions)
        for place, other in zip(chosen, np.roll(chosen, 1), strict=True):
            said[place] = captions[other]
        (changed,) = CIDEr().score(items, said)
        (difference,) = differences([changed], [whole], resamples=300, seed=seed)
        found.append(difference.p_value < 0.05)
        errors.append(difference.standard_error)
        gains.append(difference.value)
    typical = float(np.mean(errors))
    predicted = stats.norm.cdf(abs(np.mean(gains)) / typical - 1.96)
    assert np.mean(gains) < 0
    assert np.mean(found) == pytest.approx(predicted, abs=0.1)
    # What a power of 80 % calls detectable is smaller than this change: it is found nearly always.
    assert (abs(np.mean(gains)) > detectable(typical)) == (predicted > 0.8)


def test_a_change_of_one_caption_is_not_called_a_difference(
    published: dict[str, tuple[list[Item], list[str]]],
) -> None:
    items, captions = published["blip_vit_l_beam"]
    (whole,) = CIDEr().score(items, captions)
    rows = whole.statistics.copy()
    rows[0, 0] = 0.0
    (difference,) = differences([replace(whole, statistics=rows)], [whole])
    assert difference.p_value > 0.3
    needed = images_needed(difference.value, difference.standard_error, len(items))
    assert needed is not None
    assert needed > len(items)
