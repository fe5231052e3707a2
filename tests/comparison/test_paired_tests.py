"""Paired tests against scipy's, against what is known in advance, and on published systems."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evaluator.comparison.bootstrap import bootstrap_scores, percentile_interval
from evaluator.comparison.paired_tests import (
    Difference,
    Family,
    detectable,
    differences,
    draw_swaps,
    images_needed,
    rank_ranges,
)
from evaluator.core import Item, Measurement
from evaluator.scorers.bleu import BLEU
from evaluator.scorers.cider import CIDEr
from evaluator.scorers.rouge import ROUGE


def mean_of(values: np.ndarray, name: str = "mean", higher_is_better: bool = True) -> Measurement:
    rows = np.column_stack([values, np.ones_like(values)])
    return Measurement(name, rows, "mean", name, higher_is_better)


def difference(one: Measurement, other: Measurement, **options: Any) -> Difference:
    ((found,),) = differences([Family([one, other])], **options)
    return found


def all_pairs(systems: Sequence[Measurement], **options: Any) -> dict[tuple[int, int], Difference]:
    pairs = list(combinations(range(len(systems)), 2))
    (found,) = differences([Family(systems, pairs)], **options)
    return dict(zip(pairs, found, strict=True))


def ranks(systems: Sequence[Measurement], alpha: float = 0.05) -> list[tuple[int, int]]:
    better = np.zeros((len(systems), len(systems)), bool)
    for (one, other), found in all_pairs(systems).items():
        better[one, other] = found.p_corrected < alpha and found.gain > 0
        better[other, one] = found.p_corrected < alpha and found.gain < 0
    return rank_ranges(better)


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    hard = generator.normal(size=60)
    return hard + generator.normal(0.16, 0.5, 60), hard + generator.normal(0, 0.5, 60)


def test_the_p_value_is_scipys(pair: tuple[np.ndarray, np.ndarray]) -> None:
    ours = difference(*map(mean_of, pair), resamples=20_000).p_value
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


def test_the_interval_and_the_standard_error_are_scipys(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Beside the paired t-test, which needs normal differences: these are normal."""
    ours = difference(*map(mean_of, pair), resamples=20_000)
    theirs = stats.ttest_rel(*pair)
    low, high = theirs.confidence_interval()
    assert (ours.low, ours.high) == pytest.approx((low, high), abs=0.03 * (high - low))
    assert ours.standard_error == pytest.approx(ours.value / theirs.statistic, rel=0.02)


@given(
    st.integers(2, 5),
    st.integers(1, 12),
    st.sampled_from([0.5, 0.8, 0.95, 0.99]),
    st.integers(0, 2**32 - 1),
)
def test_an_interval_excludes_zero_exactly_where_the_p_value_is_small(
    systems: int, images: int, confidence: float, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    values = generator.integers(0, 4, (systems, images)) + generator.integers(0, 4, (systems, 1))
    found = all_pairs([mean_of(row.astype(float)) for row in values], confidence=confidence)
    for one in found.values():
        assert one.low <= one.value <= one.high
        assert (one.low > 0 or one.high < 0) == (one.p_corrected < 1 - confidence)
        assert one.p_value <= one.p_corrected <= 1
        assert images > 6 or one.p_value >= 2 ** (1 - images) / 2  # the fewest swaps that do as well


def test_a_few_equal_differences_are_not_certain() -> None:
    """Of 4 images all 4 are better: of the 16 ways to swap them, 2 do as well."""
    found = difference(mean_of(np.full(4, 1.5)), mean_of(np.ones(4)))
    assert found.p_value == pytest.approx(2 / 16, abs=0.03)
    assert (found.low, found.high) == pytest.approx((0.0, 1.0))


def test_a_system_against_itself_is_a_tie() -> None:
    rows = np.random.default_rng(0).random(50)
    found = difference(mean_of(rows), mean_of(rows))
    assert (found.value, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert (found.wins, found.ties, found.losses) == (0, 50, 0)


def test_wins_count_what_is_better() -> None:
    one, other = np.array([1.0, 2.0, 3.0, 4.0]), np.array([0.0, 2.0, 4.0, 3.0])
    higher = difference(mean_of(one), mean_of(other))
    lower = difference(mean_of(one, higher_is_better=False), mean_of(other, higher_is_better=False))
    assert (higher.wins, higher.ties, higher.losses, higher.gain) == (2, 1, 1, 0.25)
    assert (lower.wins, lower.ties, lower.losses, lower.gain) == (1, 1, 2, -0.25)


def test_the_same_for_the_same_seed(pair: tuple[np.ndarray, np.ndarray]) -> None:
    one, other = map(mean_of, pair)
    assert difference(one, other, seed=4) == difference(one, other, seed=4)
    assert difference(one, other, seed=4) != difference(one, other, seed=5)


def test_a_high_confidence_can_be_reached(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """1,000 swaps could never say p < 0.0005."""
    one, other = pair
    found = difference(mean_of(one + 3), mean_of(other), confidence=0.9995)
    assert found.p_corrected < 0.0005
    assert found.low > 0


def test_swaps_are_fair_and_of_the_right_shape() -> None:
    swaps = np.vstack(list(draw_swaps(13, 4000, seed=0)))
    assert swaps.shape == (4000, 13)
    assert set(np.unique(swaps)) == {0.0, 1.0}
    assert swaps.mean(axis=0) == pytest.approx(np.full(13, 0.5), abs=0.04)


def test_images_without_a_score_take_no_part() -> None:
    one, other = np.zeros((6, 2)), np.zeros((6, 2))
    one[:3], other[:3] = [[0.2, 1], [0.4, 1], [0.6, 1]], [[0.1, 1], [0.3, 1], [0.5, 1]]
    found = difference(*(Measurement("m", rows, "mean", "m") for rows in (one, other)))
    assert found.value == pytest.approx(0.1)
    assert (found.wins, found.ties, found.losses) == (3, 0, 0)


def test_equal_systems_are_rarely_told_apart_however_many_there_are() -> None:
    """The share of 200 sets of eight equal systems in which any pair is called different is at most 5 %."""
    generator = np.random.default_rng(3)
    wrong = 0
    for seed in range(200):
        values = generator.normal(size=40) + generator.normal(size=(8, 40))
        found = all_pairs([mean_of(row) for row in values], seed=seed)
        wrong += any(one.p_corrected < 0.05 for one in found.values())
    assert wrong / 200 == pytest.approx(0.05, abs=0.04)


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


SYSTEMS = (
    "blip2_opt2.7b_coco_finetuned",
    "blip_vit_l_beam",
    "instructblip_vicuna7b_zeroshot",
    "updown_paddle_xe",
    "magic",
    "zerocap",
    "minigpt4_vicuna7b_zeroshot",
)
Published = dict[str, tuple[list[Item], list[str]]]


@pytest.fixture(scope="module")
def published(real_data: Path) -> Published:
    texts: dict[int, list[str]] = {}
    for row in json.loads((real_data / "coco" / "captions_karpathy_test.json").read_bytes())["annotations"]:
        texts.setdefault(row["image_id"], []).append(row["caption"])
    systems = {}
    for name in SYSTEMS:
        rows = json.loads((real_data / "systems" / f"{name}.json").read_bytes())
        rows.sort(key=lambda row: row["image_id"])
        items = [Item(str(row["image_id"]), None, tuple(texts[row["image_id"]])) for row in rows]
        systems[name] = (items, [row["caption"] for row in rows])
    return systems


@pytest.fixture(scope="module")
def ciders(published: Published) -> list[Measurement]:
    """CIDEr of the published systems on 2,000 images that all captioned, and of captions shifted by one
    image; the best first.
    """
    captions = [dict(zip(items, texts, strict=True)) for items, texts in published.values()]
    shared = [item for item in captions[0] if all(item in texts for texts in captions)][:2000]
    shifted = dict(zip(shared, [captions[0][item] for item in shared[1:] + shared[:1]], strict=True))
    measured = [CIDEr().score(shared, [texts[item] for item in shared])[0] for texts in [*captions, shifted]]
    return sorted(measured, key=lambda one: one.value, reverse=True)


def mixed(better: Measurement, worse: Measurement, share: float) -> Measurement:
    """A system that captions this share of the images as the worse one does."""
    chosen = np.random.default_rng(0).random((len(better.statistics), 1)) < share
    return replace(better, statistics=np.where(chosen, worse.statistics, better.statistics))


def test_eleven_systems_are_ranked(ciders: list[Measurement]) -> None:
    """From CIDEr 145.6 down to below 5, with three between them: each has a rank of its own."""
    between = [mixed(ciders[index], ciders[index + 1], 0.5) for index in (0, 2, 4)]
    systems = sorted([*ciders, *between], key=lambda one: one.value, reverse=True)
    assert len(systems) == 11
    assert (systems[0].value > 1.45, systems[-1].value < 0.05) == (True, True)
    assert ranks(systems) == [(rank, rank) for rank in range(1, 12)]


def test_of_sixty_systems_those_far_apart_are_told_apart(ciders: list[Measurement]) -> None:
    best, worst = ciders[0], ciders[-1]
    systems = [mixed(best, worst, step / 59) for step in range(60)]
    found = ranks(systems)
    assert found == sorted(found)
    assert max(last - first for first, last in found) <= 3
    assert found[0][0] == 1
    assert found[-1][1] == 60


def test_published_systems_differ_beyond_doubt(published: Published) -> None:
    def measured(name: str) -> list[Measurement]:
        return [found for scorer in (BLEU(), ROUGE(), CIDEr()) for found in scorer.score(*published[name])]

    ours = measured("blip2_opt2.7b_coco_finetuned")
    for name, least in (
        ("blip_vit_l_beam", 0.05),
        ("updown_paddle_xe", 0.30),
        ("instructblip_vicuna7b_zeroshot", 0.14),
    ):
        pairs = [Family(pair) for pair in zip(ours, measured(name), strict=True)]
        found = {one.metric: one for (one,) in differences(pairs)}
        assert found["CIDEr"].low > least
        assert found["CIDEr"].p_value == pytest.approx(1 / 1001)
        assert found["CIDEr"].wins > found["CIDEr"].losses
        assert found["BLEU-4"].low > 0
        assert found["ROUGE-L"].high < 0.1
    again = differences([Family([one, one]) for one in ours])
    assert {(one.value, one.p_value) for (one,) in again} == {(0.0, 1.0)}


def test_corpus_scores_have_the_interval_of_their_bootstrap(published: Published) -> None:
    """BLEU-4 is no mean over images; its bootstrap (Koehn 2004) is another way to the same interval."""
    better, worse = (
        BLEU().score(*published[name])[-1] for name in ("blip_vit_l_beam", "instructblip_vicuna7b_zeroshot")
    )
    found = difference(better, worse)
    first, second = bootstrap_scores([better, worse], 2000, seed=0)
    low, high = percentile_interval(first - second, 0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.06 * (high - low))


def test_systems_far_apart_have_the_standard_error_of_their_bootstrap(published: Published) -> None:
    """Short captions against captions of twice the length: swaps, which mix them, say little of BLEU here."""
    first_images = [
        [each[:500] for each in published[name]]
        for name in ("blip2_opt2.7b_coco_finetuned", "minigpt4_vicuna7b_zeroshot")
    ]
    for better, worse in zip(*(BLEU().score(*each) for each in first_images), strict=True):
        first, second = bootstrap_scores([better, worse], 1000, seed=0)
        found = difference(better, worse)
        assert found.standard_error == pytest.approx((first - second).std(), rel=0.1), better.name


def test_a_small_change_is_found_as_often_as_its_power_says(
    published: Published,
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
        seen = difference(changed, whole, seed=seed)
        found.append(seen.p_value < 0.05)
        errors.append(seen.standard_error)
        gains.append(seen.value)
    typical = float(np.mean(errors))
    predicted = stats.norm.cdf(abs(np.mean(gains)) / typical - 1.96)
    assert np.mean(gains) < 0
    assert np.mean(found) == pytest.approx(predicted, abs=0.1)
    # What a power of 80 % calls detectable is smaller than this change: it is found nearly always.
    assert (abs(np.mean(gains)) > detectable(typical)) == (predicted > 0.8)


def test_a_change_of_one_caption_is_not_called_a_difference(
    published: Published,
) -> None:
    items, captions = published["blip_vit_l_beam"]
    (whole,) = CIDEr().score(items, captions)
    rows = whole.statistics.copy()
    rows[0, 0] = 0.0
    seen = difference(replace(whole, statistics=rows), whole)
    assert seen.p_value > 0.3
    needed = images_needed(seen.value, seen.standard_error, len(items))
    assert needed is not None
    assert needed > len(items)
