"""Measured again over some of a run's images: the signature of what is compared is always true."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from evaluator.api import score
from evaluator.comparison.compare import compare
from evaluator.comparison.remeasure import human_baseline, remeasure
from evaluator.core import Caption, Item, Measurement, Outcome, Signature
from evaluator.core.errors import DataError
from evaluator.scorers.cider import CIDEr
from evaluator.scorers.measure import normalization_of, renamed_for_normalization
from evaluator.store.run import Run
from tests.scored_runs import scored_run

TEXTS = {"1": "a red cat", "2": "two dogs run", "3": "a man on a wave", "4": "a plate of food"}
ITEMS = [
    Item(item_id, None, (text, f"{text} outside", f"there is {text}")) for item_id, text in TEXTS.items()
]
SCORER = {"cider": {"_target_": "evaluator.scorers.cider.CIDEr"}}

MakeRun = Callable[..., Run]


@pytest.fixture
def cider_run(tmp_path: Path) -> MakeRun:
    """A run whose CIDEr is what the scorer gives over the images that it captioned."""

    def make(name: str, missing: str = "", scorer: object = SCORER) -> Run:
        captions = {
            item_id: Caption(item_id, Outcome.REFUSED) if item_id in missing else f"{text} outside"
            for item_id, text in TEXTS.items()
        }
        items = [item for item in ITEMS if item.id not in missing]
        (measured,) = CIDEr().score(items, [f"{TEXTS[item.id]} outside" for item in items])
        return Run(
            scored_run(
                tmp_path / name,
                captions,
                {"CIDEr": measured.per_image.tolist()},
                items=ITEMS,
                signature=str(measured.signature),
                config={"scorer": scorer},
            )
        )

    return make


def expected(ids: str) -> float:
    captions = {item_id: f"{TEXTS[item_id]} outside" for item_id in ids}
    return score(captions, {item.id: item.references for item in ITEMS}, ["CIDEr"])["CIDEr"].value


def test_ciders_weights_are_those_of_the_images_compared(cider_run: MakeRun) -> None:
    (measured,) = remeasure(cider_run("a"), ["1", "3"])
    assert measured.value == pytest.approx(expected("13"), abs=1e-12)
    assert "|images:2|" in measured.signature


def test_a_comparison_never_prints_a_signature_that_is_not_true(cider_run: MakeRun) -> None:
    """From Python too: nothing has to be passed for it."""
    comparison = compare([cider_run("a"), cider_run("b", missing="4")])
    assert comparison.pairs.ids == ("1", "2", "3")
    for row in comparison.rows:
        cider = row.score("CIDEr")
        assert cider is not None
        assert cider.value == pytest.approx(expected("123"), abs=1e-12)
        assert "|idf:corpus|images:3|" in cider.signature


def test_nothing_is_measured_again_where_all_images_are_shared(
    cider_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError

    runs = [cider_run("a"), cider_run("b")]
    monkeypatch.setattr(CIDEr, "score", refuse)
    assert compare(runs).pairs.images == 4


def test_a_scorer_of_somebody_else_is_left_alone(cider_run: MakeRun) -> None:
    foreign = {**SCORER, "words": {"_target_": "own_components.Words"}}
    (measured,) = remeasure(cider_run("a", scorer=foreign), ["1", "2"])
    assert measured.name == "CIDEr"


def test_a_person_is_scored_against_the_others(cider_run: MakeRun) -> None:
    scores, not_computed, images = human_baseline(cider_run("a"), TEXTS, ["CIDEr"])
    assert images == 4
    assert not not_computed
    others = {item.id: item.references[1:] for item in ITEMS}
    assert scores[0].value == pytest.approx(score(TEXTS, others, ["CIDEr"])["CIDEr"].value, abs=1e-12)
    with pytest.raises(DataError, match="no image has two references"):
        human_baseline(cider_run("b"), [], ["CIDEr"])


@pytest.mark.parametrize(
    ("name", "signature"),
    [
        ("METEOR", "METEOR|version:1.5|norm:en|tok:ptb|images:2|v:0.1.0"),
        ("CLAIR (gemini)", "CLAIR|model:gemini|images:2|v:0.1.0"),
        ("CIDEr", "CIDEr|n:4|images:2|v:0.1.0"),
    ],
)
def test_what_was_done_to_captions_is_read_back(name: str, signature: str) -> None:
    plain = Measurement(name, np.ones((2, 2)), "mean", Signature(signature))
    assert normalization_of(plain) == "none"
    assert normalization_of(renamed_for_normalization(plain, "strip_preamble")) == "strip_preamble"
