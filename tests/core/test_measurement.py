"""The types: what is scored, what is tried again, and how statistics become scores."""

from __future__ import annotations

import doctest
import math

import numpy as np
import pytest

import evaluator.core
from evaluator.core import AGGREGATES, Caption, Measurement, Outcome, Reply, Results, Score, Signature


def test_examples() -> None:
    assert doctest.testmod(evaluator.core).failed == 0


@pytest.mark.parametrize("outcome", Outcome)
def test_only_ok_is_ever_a_caption(outcome: Outcome) -> None:
    caption = Caption("1", outcome, Reply("I cannot help with that"))
    assert (caption.text is not None) == (outcome is Outcome.OK)


def test_what_is_tried_again() -> None:
    assert {outcome for outcome in Outcome if outcome.can_be_retried} == {"error", "skipped"}


def test_coverage() -> None:
    results = Results(4, {Outcome.OK: 3, Outcome.MISSING: 1}, ())
    assert (results.captioned, results.coverage, results.is_incomplete) == (3, 0.75, False)
    assert Results(4, {Outcome.OK: 3, Outcome.ERROR: 1}, ()).is_incomplete
    assert Results(0, {}, ()).coverage == 0.0


def test_mean_leaves_out_what_was_not_scored() -> None:
    measurement = Measurement("CIDEr", np.array([[1.0, 1.0], [0.0, 0.0], [0.5, 1.0]]), "mean", "")
    assert measurement.value == 0.75
    assert measurement.per_image[[0, 2]].tolist() == [1.0, 0.5]
    assert math.isnan(measurement.per_image[1])
    assert measurement.scored.tolist() == [True, False, True]
    assert math.isnan(Measurement("CIDEr", np.zeros((2, 2)), "mean", "").value)


def test_bleu_by_hand() -> None:
    # "the cat sat" against "the cat sat down": 3 of 3 words, 2 of 2 pairs, brevity exp(1 - 4/3).
    row = np.array([3.0, 2, 1, 0, 3, 2, 1, 0, 3, 4])
    for order in (1, 2, 3):
        assert float(AGGREGATES[f"bleu-{order}"](row)) == pytest.approx(math.exp(-1 / 3), rel=1e-8)
    assert float(AGGREGATES["bleu-4"](row)) == pytest.approx(
        (1e-15 / 1e-9) ** 0.25 * math.exp(-1 / 3), rel=1e-6
    )
    assert math.isnan(float(AGGREGATES["bleu-1"](np.zeros(10))))


def test_a_score_is_printed_in_points_and_compared_by_its_orientation() -> None:
    score = Score("CIDEr", 1.4555, 1.43, 1.48, Signature("CIDEr"))
    assert (score.points, score.interval_points) == (pytest.approx(145.55), (143.0, 148.0))
    assert score.oriented == 1.4555
    assert Score("CHAIR", 0.2, 0.1, 0.3, Signature("CHAIR"), higher_is_better=False).oriented == -0.2


def test_a_signature_given_as_text_becomes_one() -> None:
    measured = Measurement("mine", np.ones((1, 2)), "mean", "mine|v:1|images:3")  # type: ignore[arg-type]
    assert measured.signature.recipe == "mine|v:1"
    assert measured.signature.over(2) == "mine|v:1|images:2"
