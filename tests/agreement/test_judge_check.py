"""What is found out about judges whose habits are known."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest

from evaluator.agreement.judge_check import (
    SENTENCE,
    Finding,
    Sample,
    adjusted_difference,
    agreement_with_references,
    findings,
    partial_spearman,
    questions_for,
    samples_for,
    spearman,
)
from evaluator.core import Caption, Item, Outcome, Reply
from evaluator.report.text.judge_check import FORMATS
from evaluator.scorers.judge.judge import Judge
from tests.wire_formats import judged_caption

WORDS = [
    "a",
    "dog",
    "cat",
    "runs",
    "on",
    "the",
    "green",
    "grass",
    "near",
    "two",
    "trees",
    "and",
    "some",
    "people",
    "with",
    "red",
    "hats",
]


def samples(count: int = 60) -> list[Sample]:
    generator = np.random.default_rng(1)
    return [
        Sample(
            Item(str(n), None, (" ".join(generator.choice(WORDS, 8)), " ".join(generator.choice(WORDS, 9)))),
            " ".join(generator.choice(WORDS, int(generator.integers(4, 16)))),
            "gpt-5" if n % 2 else "blip2",
        )
        for n in range(count)
    ]


def found_of(judge: Judge, habit: Callable[[str, int, str], float]) -> dict[tuple[str, str], Finding]:
    """The findings about a judge that gives habit(caption, draw, whole question) points of 100."""
    sampled = samples()
    answers = {
        question.id: Caption(
            question.id,
            Outcome.OK,
            Reply(
                json.dumps(
                    {"score": habit(judged_caption(question.text) or "", question.draw, question.text)}
                )
            ),
        )
        for question in questions_for(judge, sampled, 2).questions
    }
    found = findings([(judge, answers)], sampled, 2, resamples=200)
    return {(one.check, one.statistic): one for one in found}


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge("gpt-mini")


def test_a_judge_that_counts_words(judge: Judge) -> None:
    found = found_of(judge, lambda caption, draw, text: 3 * len(caption.split()))
    assert found["length", "partial correlation"].value > 0.9
    assert found["preamble", "effect"].value == pytest.approx(0.12)  # four words more
    assert found["irrelevant sentence", "effect"].value == pytest.approx(0.27)
    assert found["order of the references", "mean distance"].value == 0.0
    assert found["draws 1 and 2", "mean distance"].value == 0.0
    assert found["draws 1 and 2", "correlation"].value == pytest.approx(1.0)
    assert all(one.low <= one.value <= one.high for one in found.values())


def test_a_judge_that_favours_its_family_and_hesitates(judge: Judge) -> None:
    """gpt-mini and odd captions are OpenAI's: 20 points more. A second answer gives 10 points less."""
    texts = {sample.caption: sample for sample in samples()}
    own = {caption: 20.0 * (sample.model == "gpt-5") for caption, sample in texts.items()}
    found = found_of(judge, lambda caption, draw, text: 50 + own.get(caption, 0.0) - 10 * draw)
    assert found["own family", "effect"].value == pytest.approx(0.2)
    assert found["own family", "effect"].low > 0.1
    assert found["draws 1 and 2", "mean distance"].value == pytest.approx(0.1)


def test_a_judge_that_looks_at_the_first_reference(judge: Judge) -> None:
    found = found_of(judge, lambda caption, draw, text: len(text.split("- ")[1]) % 50)
    assert found["order of the references", "mean distance"].value > 0.02


def test_two_judges_are_set_side_by_side(judge: Judge) -> None:
    sampled, other = samples(20), Judge("gpt-mini", name="other")
    told = []
    for one, sign in ((judge, 1), (other, -1)):
        answers = {
            question.id: Caption(
                question.id, Outcome.OK, Reply(json.dumps({"score": 50 + sign * (len(question.text) % 40)}))
            )
            for question in questions_for(one, sampled, 1).questions
        }
        told.append((one, answers))
    found = {(one.check, one.statistic): one for one in findings(told, sampled, 1, resamples=100)}
    assert found["two judges", "correlation"].value == pytest.approx(-1.0)
    assert found["two judges", "mean difference"].value > 0
    assert found["two judges", "correlation"].judge == "gpt-mini and other"


def test_the_statistics_against_scipy() -> None:
    from scipy.stats import spearmanr

    generator = np.random.default_rng(2)
    z = generator.standard_normal(200)
    x, y = z + generator.standard_normal(200), z + generator.standard_normal(200)
    assert spearman(x, y) == pytest.approx(spearmanr(x, y).statistic)
    # Partial correlation by its formula, of rank correlations.
    xy, xz, yz = spearman(x, y), spearman(x, z), spearman(y, z)
    by_formula = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert partial_spearman(x, y, z) == pytest.approx(by_formula)
    own = (np.arange(200) % 2).astype(float)
    assert adjusted_difference(0.3 * own + 0.5 * z, own, z) == pytest.approx(0.3)


def test_a_sample_has_the_same_images_of_each_run() -> None:
    pairs = [(Item(str(n), None, ("a dog",)), f"caption {n}") for n in range(30)]
    chosen = samples_for([("git", pairs), ("gpt", pairs[5:])], 20, seed=0)
    by_model = {model: {one.item.id for one in chosen if one.model == model} for model in ("git", "gpt")}
    assert by_model["git"] == by_model["gpt"]
    assert len(chosen) == 20
    assert chosen == samples_for([("git", pairs), ("gpt", pairs[5:])], 20, seed=0)


def test_unscored_captions_and_images_without_references(judge: Judge) -> None:
    sampled = samples(10)
    assert findings([(judge, {})], sampled, 2, resamples=100) == []
    assert SENTENCE in questions_for(judge, sampled, 1).questions[-1].text
    assert agreement_with_references([Sample(Item("1", None), "a dog")]).tolist() == [0.0]


def test_a_judge_named_like_a_formula_is_none_in_a_spreadsheet() -> None:
    found = Finding("draws 1 and 2", "=1+1", "correlation", 0.5, 0.25, float("nan"), 3)
    row = FORMATS["csv"]([found]).splitlines()[1]
    assert (
        row == "'=1+1,draws 1 and 2,correlation,50.0,25.0,,3,whether a second answer ranks the captions alike"
    )
