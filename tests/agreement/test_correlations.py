"""The statistics of agreement, against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau, pearsonr, spearmanr

from evaluator.agreement.correlations import FEW_VALUES, STATISTICS, Observations

ONCE = np.ones(3, np.int64)


def observations(size: int = 90, values: int = 5) -> Observations:
    generator = np.random.default_rng(1)
    people = generator.integers(values, size=size).astype(float)
    return Observations(people + generator.normal(size=size), people, np.arange(size) % 3)


@pytest.mark.parametrize("values", [5, 10 * FEW_VALUES])
@pytest.mark.parametrize("counts", [[1, 1, 1], [0, 2, 1]])
def test_correlations_of_a_resample_are_scipys(values: int, counts: list[int]) -> None:
    observed = observations(400, values)
    times = np.array(counts)[observed.image]
    metric, people = np.repeat(observed.metric, times), np.repeat(observed.people, times)
    expected = {
        "kendall_tau_b": kendalltau(metric, people, variant="b").statistic,
        "kendall_tau_c": kendalltau(metric, people, variant="c").statistic,
        "spearman": spearmanr(metric, people).statistic,
        "pearson": pearsonr(metric, people).statistic,
    }
    found = {name: STATISTICS[name](observed)(np.array(counts)) for name in expected}  # type: ignore[index]
    assert found == pytest.approx(expected, abs=1e-12)


def test_pairs_are_those_of_an_image_and_a_metrics_tie_is_half_right() -> None:
    """Image 0: right, wrong and tied pair; image 1: people see no difference; image 2 has one caption."""
    observed = Observations(
        metric=np.array([0.1, 0.5, 0.5, 0.3, 0.9, 0.0]),
        people=np.array([1.0, 2.0, 3.0, 2.0, 2.0, 9.0]),
        image=np.array([0, 0, 0, 1, 1, 2]),
    )
    accuracy = STATISTICS["pairwise_accuracy"](observed)
    assert accuracy(ONCE) == pytest.approx((1 + 1 + 0.5) / 3)
    assert np.isnan(accuracy(np.array([0, 3, 0])))


def test_named_pairs_are_compared_and_no_others() -> None:
    observed = Observations(
        metric=np.array([1.0, 2.0, 4.0, 3.0]),
        people=np.array([1.0, 2.0, 3.0, 4.0]),
        image=np.array([0, 0, 0, 0]),
        pair=np.array([0, 0, 1, 1]),
    )
    assert STATISTICS["pairwise_accuracy"](observed)(np.array([1])) == 0.5


def test_systems_are_compared_by_their_means() -> None:
    metric, people = np.array([1.0, 3.0, 5.0, 5.0, 9.0, 7.0]), np.array([1.0, 1.0, 2.0, 4.0, 3.0, 3.0])
    observed = Observations(metric, people, np.array([0, 1, 0, 1, 0, 1]), system=np.array([0, 0, 1, 1, 2, 2]))
    expected = pearsonr([2.0, 5.0, 8.0], [1.0, 3.0, 3.0]).statistic
    assert STATISTICS["system_pearson"](observed)(np.array([1, 1])) == pytest.approx(expected)


def test_scores_must_be_numbers() -> None:
    with pytest.raises(ValueError, match="finite"):
        Observations(np.array([np.nan]), np.array([1.0]), np.array([0]))
