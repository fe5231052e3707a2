"""Rank correlations of the metrics, equal to scipy's."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from evaluator.comparison.compare import compare
from evaluator.comparison.metric_agreement import agreement, correlations

MakeRun = Callable[..., Path]
IDS = [str(number) for number in range(50)]


def test_the_mean_of_the_runs_coefficients(make_run: MakeRun) -> None:
    source = np.random.default_rng(3)
    drawn = [{"METEOR": source.random(50).round(1), "CIDEr": source.random(50)} for _ in range(2)]
    drawn[1]["CIDEr"] = drawn[1]["METEOR"] + 0.1 * source.random(50)
    runs = [
        make_run(f"r{n}", dict.fromkeys(IDS, "x"), scores | {"BLEU-1": source.random(50)})
        for n, scores in enumerate(drawn)
    ]
    found = agreement(compare(runs))
    assert found is not None
    assert found.metrics == ("METEOR", "CIDEr")
    expected = np.mean([spearmanr(scores["METEOR"], scores["CIDEr"]).statistic for scores in drawn])
    assert found.coefficients[1][0] == pytest.approx(expected, abs=1e-12)
    assert found.coefficients[0][1] == found.coefficients[1][0]
    assert f"({expected:.2f})" in found.description


def test_a_score_that_never_changes_has_no_coefficient(make_run: MakeRun) -> None:
    scores = {"METEOR": [0.5] * 50, "CIDEr": np.arange(50), "SPICE": np.arange(50)[::-1]}
    found = agreement(compare([make_run("run", dict.fromkeys(IDS, "x"), scores)]))
    assert found is not None
    assert found.metrics == ("METEOR", "CIDEr", "SPICE")
    assert found.coefficients[1][0] is None
    assert found.coefficients[2][1] == pytest.approx(-1)
    assert found.description == "SPICE and CIDEr agree most (−1.00)"


def test_a_metric_that_is_better_when_lower_agrees_with_its_opposite(make_run: MakeRun) -> None:
    captions = dict.fromkeys(IDS, "x")
    runs = [
        make_run("high", captions, {"CIDEr": np.arange(50)}),
        make_run("low", captions, {"CHAIR": np.arange(50)}, higher_is_better=False),
    ]
    both = {
        "CIDEr": compare(runs[:1]).pairs.measurements[0]["CIDEr"],
        "CHAIR": compare(runs[1:]).pairs.measurements[0]["CHAIR"],
    }
    assert correlations(both, ("CIDEr", "CHAIR"))[0, 1] == pytest.approx(-1)


def test_too_little_to_tell(make_run: MakeRun) -> None:
    one = make_run("one", dict.fromkeys(IDS, "x"), {"CIDEr": np.arange(50)})
    assert agreement(compare([one])) is None
    few = make_run("few", dict.fromkeys("123", "x"), {"CIDEr": [1, 2, 3], "METEOR": [1, 2, 3]})
    assert agreement(compare([few])) is None
