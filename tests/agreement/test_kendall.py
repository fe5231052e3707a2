"""Kendall's tau, against scipy on each resample."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from evaluator.agreement.kendall import OrderedPairs

observed = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(0, 3)), min_size=2, max_size=60
)


@given(observed)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_tau_of_a_resample_is_scipys(rows: list[tuple[int, int, int]]) -> None:
    people, metric, times = (np.array(column) for column in zip(*rows, strict=True))
    pairs = OrderedPairs.of(metric.astype(float), people.astype(float))
    repeated = np.repeat(metric, times), np.repeat(people, times)
    if len(repeated[0]) < 2:
        return
    for variant, tau in (("b", pairs.tau_b), ("c", pairs.tau_c)):
        expected = kendalltau(*repeated, variant=variant).statistic
        assert tau(times.astype(float)) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_both_variables_are_treated_alike() -> None:
    generator = np.random.default_rng(0)
    few, many = generator.integers(4, size=500).astype(float), generator.normal(size=500)
    weights = generator.integers(3, size=500).astype(float)
    one, other = OrderedPairs.of(few, many), OrderedPairs.of(many, few)
    assert one.tau_b(weights) == pytest.approx(other.tau_b(weights), abs=1e-14)
    assert one.tau_c(weights) == pytest.approx(other.tau_c(weights), abs=1e-14)
