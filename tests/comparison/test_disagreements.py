"""On which runs and captions metrics disagree, and how that reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluator.comparison.compare import compare
from evaluator.comparison.comparison import Comparison
from evaluator.comparison.disagreements import DisputedOrder, disagreements, disputed_captions
from evaluator.report.disagreements import disagreement_notes
from evaluator.report.text.comparison import as_json, markdown

MakeRun = Callable[..., Path]
IDS = [str(number) for number in range(50)]
UP = np.arange(50) / 100


@pytest.fixture
def comparison(make_run: MakeRun) -> Comparison:
    """`terse` is better by CIDEr and METEOR, `chatty` by CLIPScore; BLEU-4 cannot tell them apart."""
    noise = np.random.default_rng(0).normal(0, 0.2, 50)
    captions = {item_id: f"caption {item_id}" for item_id in IDS}
    terse = {"BLEU-4": UP, "CIDEr": UP + 1.0, "METEOR": UP + 0.5, "CLIPScore": UP + 0.3}
    chatty = {"BLEU-4": UP + noise - noise.mean(), "CIDEr": UP, "METEOR": UP}
    clip = UP + 0.5
    clip[[3, 48]] = [2.0, 0.1]  # the best and the worst by CLIPScore, nearly the opposite by the others
    return compare(
        [make_run("terse", captions, terse), make_run("chatty", captions, chatty | {"CLIPScore": clip})]
    )


def test_runs_whose_order_depends_on_the_metric(comparison: Comparison) -> None:
    assert disagreements(comparison).orders == (
        DisputedOrder(("terse", "chatty"), (("METEOR", "CIDEr"), ("CLIPScore",))),
    )


def test_captions_that_are_good_by_one_metric_alone(comparison: Comparison) -> None:
    first, second, *others = disputed_captions(comparison, ("CIDEr", "CLIPScore"))
    assert {(one.run, one.item_id) for one in (first, second)} == {("chatty", "3"), ("chatty", "48")}
    of_3 = first if first.item_id == "3" else second
    assert of_3.caption == "caption 3"
    assert of_3.points == pytest.approx((3.0, 200.0))
    assert of_3.shares == pytest.approx((3 / 49, 1.0))
    assert all(abs(one.shares[0] - one.shares[1]) < 0.05 for one in others)


def test_the_words(comparison: Comparison) -> None:
    order, captions = disagreement_notes(disagreements(comparison))
    assert order == (
        "Metrics disagree: terse is significantly better than chatty by METEOR and CIDEr, and significantly "
        "worse by CLIPScore."
    )
    assert captions.startswith("Of all pairs of metrics, ")
    assert "48 of chatty" in captions
    assert captions in markdown(comparison).replace("\\", "")
    document = json.loads(as_json(comparison))["disagreements"]
    assert document["orders"][0]["runs"] == ["terse", "chatty"]
    assert document["captions"][0]["run"] == "chatty"


def test_many_disputed_pairs_share_a_line(make_run: MakeRun) -> None:
    captions = dict.fromkeys(IDS, "x")
    runs = [make_run(f"r{n}", captions, {"CIDEr": UP + n, "CLIPScore": UP - n}, margin=0.1) for n in range(4)]
    notes = disagreement_notes(disagreements(compare(runs)))
    assert len(notes) == 7
    assert notes[5] == "Metrics disagree on 1 more pair of runs."
    assert notes[6].startswith(
        "CIDEr and CLIPScore agree on which captions are good (rank correlation 1.00)."
    )


def test_metrics_that_agree_leave_nothing_to_say(make_run: MakeRun) -> None:
    few = make_run("few", {"1": "a dog"}, {"CIDEr": [1.0], "METEOR": [0.5]})
    assert disagreement_notes(disagreements(compare([few]))) == []
    alone = make_run("alone", dict.fromkeys(IDS, "x"), {"CIDEr": UP})
    assert disagreement_notes(disagreements(compare([alone]))) == []
