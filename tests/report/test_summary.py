"""The words say what the numbers allow, and no more."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluator.comparison.compare import compare
from evaluator.core import Caption, Item, Outcome
from evaluator.report.summary import Summary, summarize

MakeRun = Callable[..., Path]
TWO = {"1": "a dog", "2": "a cat"}


def summary_of(*runs: Path) -> Summary:
    return summarize(compare(runs))


MANY = {str(number): "a dog" for number in range(40)}


def test_a_significant_lead(make_run: MakeRun) -> None:
    found = summary_of(
        make_run("low", MANY, {"CIDEr": [0.5] * 40}), make_run("high", MANY, {"CIDEr": [1.0, 1.2] * 20})
    )
    assert found.headline.startswith("high leads on CIDEr (110.0), 60.0 points ahead of low (95 % interval 5")
    assert found.headline.endswith("; p < 0.001)")
    (images,) = found.sentences
    lead, coverage = found.details
    assert lead.startswith(
        "low is next with 50.0 (48.0–52.0). Over the same 40 images, high is 60.0 points ahead, "
        "which is significant (95 % interval 5"
    )
    assert lead.endswith("; p < 0.001).")
    assert images == "Image by image, high is better on 40 and low on 0; 0 are tied."
    assert coverage == "Every run captioned all 40 images."


def test_a_lead_that_could_be_chance(make_run: MakeRun) -> None:
    found = summary_of(
        make_run("low", TWO, {"CIDEr": [0.5, 0.5]}), make_run("high", TWO, {"CIDEr": [0.53, 0.53]})
    )
    assert found.headline == "high leads on CIDEr (53.0); its lead over low, 3.0 points, could be chance"
    sentence = (
        "same 2 images, high is 3.0 points ahead, which could be chance (95 % interval 0.0 to 6.0; p = 0.5"
    )
    assert sentence in found.details[0]


def test_of_several_runs_which_are_significantly_behind(make_run: MakeRun) -> None:
    found = summary_of(
        make_run("best", MANY, {"CIDEr": [1.0, 0.8] * 20}),
        make_run("twin", MANY, {"CIDEr": [0.8, 0.99] * 20}),
        make_run("low", MANY, {"CIDEr": [0.5, 0.2] * 20}),
        make_run("lower", MANY, {"CIDEr": [0.1, 0.2] * 20}),
    )
    assert found.headline == "best leads on CIDEr (90.0); its lead over twin, 0.5 points, could be chance"
    assert found.sentences == (
        "Not significantly behind best: twin (89.5).",
        "Significantly behind: low (35.0) and lower (15.0).",
    )
    assert found.details[1].startswith("Image by image, best is better on 20 and twin on 20")


@pytest.mark.parametrize("count", [2, 11])
def test_a_clear_lead_is_significant_among_any_number_of_runs(make_run: MakeRun, count: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.05, (count, 40))
    comparison = compare(
        [
            make_run(f"run{rank:02}", MANY, {"CIDEr": (2 - rank / 10 + noise[rank]).tolist()})
            for rank in range(count)
        ]
    )
    assert comparison.pairs.ranks("CIDEr") == [(rank, rank) for rank in range(1, count + 1)]
    found = summarize(comparison)
    assert found.headline.startswith("run00 leads on CIDEr")
    assert "points ahead of run01 (95 % interval " in found.headline
    assert "; p < 0.001)" in found.headline
    assert not any("could be chance" in sentence for sentence in found.sentences)


def test_a_lead_is_significant_only_over_all_others(make_run: MakeRun) -> None:
    """The second is significantly behind; the third, lower but more variable, is not."""
    found = summary_of(
        make_run("best", MANY, {"CIDEr": [1.0] * 40}),
        make_run("next", MANY, {"CIDEr": [0.9] * 40}),
        make_run("wild", MANY, {"CIDEr": [3.0] * 10 + [0.1] * 30}),
    )
    assert found.headline == "best leads on CIDEr (100.0); its lead over wild, 17.5 points, could be chance"
    assert "Not significantly behind best: wild (82.5)." in found.sentences
    assert "Significantly behind: next (90.0)." in found.sentences


def test_a_small_lead_is_not_nothing(make_run: MakeRun) -> None:
    found = summary_of(
        make_run("low", MANY, {"CIDEr": [0.5] * 40}), make_run("high", MANY, {"CIDEr": [0.50012] * 40})
    )
    assert (
        "high leads on CIDEr (50.0), 0.012 points ahead of low (95 % interval 0.011 to 0.013"
        in found.headline
    )
    sentence = "high is 0.012 points ahead, which is significant (95 % interval 0.011 to 0.013"
    assert sentence in found.details[0]


def test_a_lower_value_leads_where_lower_is_better(make_run: MakeRun) -> None:
    options = {"higher_is_better": False}
    found = summary_of(
        make_run("high", MANY, {"CHAIR": [0.9] * 40}, **options),
        make_run("low", MANY, {"CHAIR": [0.1] * 40}, **options),
    )
    assert found.headline == (
        "low leads on CHAIR (10.0), 80.0 points ahead of high (95 % interval 76.0 to 84.0; p < 0.001)"
    )
    assert "low is 80.0 points ahead, which is significant (95 % interval 76.0 to 84.0" in found.details[0]
    assert found.sentences[0].startswith("Image by image, low is better on 40")


def test_equal_runs_are_tied(make_run: MakeRun) -> None:
    scores = {"CIDEr": [0.5, 0.25]}
    found = summary_of(
        make_run("a", TWO, scores),
        make_run("b", TWO, scores),
        make_run("c", TWO, {"CIDEr": [0.1, 0.1]}),
    )
    assert found.headline == "a and b are tied on CIDEr (37.5)"


@pytest.mark.parametrize(
    "other", [{"dataset_digest": "d2"}, {"signature": "CIDEr|n:3"}], ids=["data", "signature"]
)
def test_nobody_leads_where_numbers_are_not_comparable(make_run: MakeRun, other: dict[str, Any]) -> None:
    found = summary_of(
        make_run("a", TWO, {"CIDEr": [0.5, 0.5]}), make_run("b", TWO, {"CIDEr": [0.9, 0.9]}, **other)
    )
    assert found.headline == "The runs cannot be ranked"
    assert not any("leads" in sentence for sentence in found.sentences)


def test_a_signature_that_differs_by_the_captioned_images_only_still_ranks(make_run: MakeRun) -> None:
    missing = Caption("2", Outcome.MISSING)
    found = summary_of(
        make_run("whole", TWO, {"CIDEr": [0.5, 0.5]}, signature="CIDEr|refs:5|images:2"),
        make_run(
            "part",
            {"1": "a dog", "2": missing},
            {"CIDEr": [0.9]},
            signature="CIDEr|refs:4-5|images:1",
        ),
    )
    assert found.headline == "part leads on CIDEr (90.0); its lead over whole, 40.0 points, could be chance"
    assert found.sentences[-2:] == (
        "part has captions for 1 of 2 images (50.00 %): 1 missing from the captions file.",
        "The scores cover the 1 image that all runs captioned.",
    )


def test_one_run(make_run: MakeRun) -> None:
    found = summary_of(make_run("only", TWO, {"BLEU-1": [0.1, 0.1], "CIDEr": [0.5, 0.5]}))
    assert found == Summary(
        "only scores 50.0 on CIDEr",
        ("The 95 % interval is 48.0–52.0.",),
        ("The run captioned all 2 images.",),
    )


def test_only_one_run_has_the_metric(make_run: MakeRun) -> None:
    found = summary_of(
        make_run("with", TWO, {"CIDEr": [0.5, 0.5]}),
        make_run("without", TWO, {}, reasons={"CIDEr": "no Java"}),
    )
    assert found.headline == "Only with has a CIDEr score: 50.0"


def test_without_cider_another_headline_metric_leads(make_run: MakeRun) -> None:
    runs = [
        make_run(name, TWO, {"BLEU-1": [0.9, 0.9], "CLIPScore": [value, value]})
        for name, value in (("a", 0.6), ("b", 0.7))
    ]
    assert (
        summary_of(*runs).headline
        == "b leads on CLIPScore (70.0); its lead over a, 10.0 points, could be chance"
    )


def test_every_outcome_has_its_words(make_run: MakeRun) -> None:
    failures = [outcome for outcome in Outcome if outcome is not Outcome.OK]
    captions: dict[str, Any] = {"ok": "a dog"} | {o: Caption(o, o) for o in failures}
    items = [Item(item_id, None) for item_id in (*captions, "later")]
    (_, sentence) = summary_of(make_run("run", captions, {"CIDEr": [0.5]}, items=items)).sentences
    assert sentence == (
        "run has captions for 1 of 9 images (11.11 %): 1 empty, 1 cut off, 1 refused, "
        "1 blocked, 1 failed with an error, 1 skipped to stay within the budget, 1 missing from the captions "
        "file and 1 not tried yet."
    )


def test_a_lead_that_the_shared_images_contradict(make_run: MakeRun) -> None:
    """Each run's score is that of its own images; the test is over those that both captioned."""
    captions = {str(number): "a dog" for number in range(40)}
    easy = captions | {str(number): Caption(str(number), Outcome.REFUSED) for number in range(20, 40)}
    items = [Item(item_id, None) for item_id in captions]
    runs = [
        make_run("easy", easy, {"CIDEr": [0.9] * 20}, items=items),
        make_run("other", captions, {"CIDEr": [1.0] * 20 + [0.1] * 20}, items=items),
    ]
    found = summarize(compare(runs, on_all=True))
    assert found.headline == (
        "easy leads on CIDEr (90.0), but other is 10.0 points ahead on the images that all runs captioned"
    )
    assert "Over the same 20 images, other is 10.0 points ahead, which is significant" in found.details[0]
    assert "Each score covers the images that its own run captioned" in found.sentences[-1]
