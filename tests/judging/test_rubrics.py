"""The rubrics that come with the package, one's own, several at once, and several draws."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from PIL import Image

from tests.judging.conftest import CAPTIONS, Judging
from tests.wire_formats import Answer, error, said

OPENAI_TOKENS = ['{"', "score", '":', " ", "0", ".", "8", ', "reason": "fits"}']


def with_pictures(judging: Judging) -> str:
    """The pictures of the run, each of another colour."""
    (judging.folder / "pictures").mkdir()
    for item in CAPTIONS:
        Image.new("RGB", (16, 16), (int(item) * 40, 0, 0)).save(judging.folder / "pictures" / f"{item}.png")
    return "data.images=pictures"


def openai_logprobs() -> dict[str, Any]:
    """The 8 of 0.8 is as likely as a 7."""
    return {
        "content": [
            {
                "token": token,
                "logprob": -0.7 if token == "8" else 0.0,
                "top_logprobs": [{"token": other, "logprob": -0.7} for other in "87"]
                if token == "8"
                else [{"token": token, "logprob": 0.0}],
            }
            for token in OPENAI_TOKENS
        ]
    }


def gemini_logprobs() -> dict[str, Any]:
    content = openai_logprobs()["content"]
    return {
        "chosenCandidates": [{"token": each["token"], "logProbability": each["logprob"]} for each in content],
        "topCandidates": [
            {
                "candidates": [
                    {"token": other["token"], "logProbability": other["logprob"]}
                    for other in each["top_logprobs"]
                ]
            }
            for each in content
        ],
    }


def test_the_picture_is_judged_with_the_probabilities_of_digits(judging: Judging) -> None:
    text = "".join(OPENAI_TOKENS)
    images = with_pictures(judging)
    judging.server.judge = lambda caption: said("openai", text, logprobs=openai_logprobs())
    run = judging(images, "scorer.judge.rubric=picture")
    score = judging.score("picture fit (gpt-mini)")
    assert (score.value, score.images) == (pytest.approx(0.75), 6)
    assert "|picture:yes|smoothing:tokens|draws:1|" in score.signature
    asked = judging.server.requests[0].document
    assert (asked["logprobs"], asked["top_logprobs"]) == (True, 20)
    assert asked["messages"][-1]["content"][0]["type"] == "image_url"
    assert "<references-" not in asked["messages"][-1]["content"][1]["text"]
    # What the run folder and the cache keep gives the same score.
    (judging.path / "scores.json").unlink()
    assert judging(images, "scorer.judge.rubric=picture").results.scores[-1].value == score.value
    assert judging(images, "scorer.judge.rubric=picture", name="two").results.scores[-1].value == score.value
    assert judging.asked == 6
    assert run.measurements["picture fit (gpt-mini)"].notes[0] == "fits"


def test_gemini_gives_probabilities_too(judging: Judging) -> None:
    address = judging.server.base_url("gemini")
    text, logprobs = "".join(OPENAI_TOKENS), gemini_logprobs()
    judging.server.judge = lambda caption: said("gemini", text, logprobsResult=logprobs)
    gemini = ["scorer.judge.model=gemini", f"scorer.judge.options.base_url={address}"]
    judging(with_pictures(judging), "scorer.judge.rubric=picture", *gemini)
    assert judging.score("picture fit (gemini)").value == pytest.approx(0.75)
    assert judging.server.requests[0].document["generationConfig"]["responseLogprobs"] is True


def test_a_model_without_probabilities_is_asked_without(judging: Judging) -> None:
    def answer(caption: str) -> str | Answer:
        if "logprobs" in judging.server.requests[-1].document:
            return error("openai", 400, message="logprobs are not supported with this model")
        return '{"score": 0.8, "reason": "fits"}'

    judging.server.judge = answer
    judging(with_pictures(judging), "scorer.judge.rubric=picture", "runner.requests.in_flight=1")
    score = judging.score("picture fit (gpt-mini)")
    assert (score.value, score.images) == (pytest.approx(0.8), 6)
    assert "|smoothing:none|" in score.signature
    assert len(judging.server.requests) == 7  # one of them was rejected


def test_pictures_that_are_not_there_are_told(judging: Judging) -> None:
    results = judging("scorer.judge.rubric=picture").results
    assert "needs the pictures" in results.not_computed[0].reason
    assert judging.asked == 0


def test_three_metrics_of_one_question(judging: Judging) -> None:
    judging.server.judge = lambda caption: json.dumps(
        {"accuracy": 9, "coverage": 4, "fluency": 10, "reason": "r"}
    )
    results = judging(with_pictures(judging), "scorer.judge.rubric=detailed").results
    names = ("accuracy (gpt-mini)", "detail coverage (gpt-mini)", "fluency (gpt-mini)")
    scores = {score.name: score for score in results.scores if score.name in names}
    assert [scores[name].value for name in names] == pytest.approx([0.9, 0.4, 1.0])
    assert sum(score.cost_usd or 0.0 for score in scores.values()) == pytest.approx(6 * 1012 / 1e6)
    assert judging.asked == 6


def test_several_judges_and_rubrics_stand_side_by_side(judging: Judging) -> None:
    (judging.folder / "mine.yaml").write_text(
        "metrics: {score: MINE}\nquestion: 'Is {caption} like {references}?'\n"
    )
    run = judging("scorer.judge.rubric=[clair,mine.yaml]")
    assert [score.name for score in run.results.scores] == [
        "ROUGE-L",
        "CLAIR (gpt-mini)",
        "MINE (gpt-mini)",
    ]
    assert judging.asked == 12
    run = judging("scorer.judge.model=[gpt-mini,gpt]")
    assert [score.name for score in run.results.scores][-1] == "CLAIR (gpt)"
    assert judging.asked == 18


def test_draws_are_asked_once_each_and_widen_the_interval(judging: Judging) -> None:
    """A judge that always answers 50 has no spread; one that answers 30, 50 and 70 has the same means."""
    judging.server.judge = lambda caption: '{"score": 50}'
    steady = judging("scorer.judge.draws=3", name="steady").results.scores[-1]
    assert judging.asked == 18
    assert (steady.value, steady.low, steady.high) == (0.5, 0.5, 0.5)
    turns = {caption: itertools.cycle((30, 50, 70)) for caption in CAPTIONS.values()}
    judging.server.judge = lambda caption: json.dumps({"score": next(turns[caption])})
    noisy = judging("scorer.judge.draws=3", "cache=off").results.scores[-1]
    assert noisy.value == pytest.approx(0.5)
    # 0.2 / sqrt(3 draws x 6 captions) is 0.047, and 95 % lie within 1.96 of it.
    assert noisy.high - noisy.low == pytest.approx(2 * 1.96 * 0.047, rel=0.4)
    assert "|draws:3|" in noisy.signature
    assert judging.asked == 36
    # One more draw asks one more question per caption.
    judging("scorer.judge.draws=4", "cache=off")
    assert judging.asked == 42


def test_plan_counts_the_questions(judging: Judging) -> None:
    planned = judging.command("plan", *judging.arguments, "name=one", "scorer.judge.draws=2")
    assert planned.returncode == 0, planned.stderr
    (row,) = (line.split() for line in planned.stdout.splitlines() if line.startswith("CLAIR (gpt-mini) "))
    assert row[2] == "12"
    assert judging.asked == 0
    judging()
    again = judging.command("plan", *judging.arguments, "name=one", "scorer.judge.draws=2").stdout
    assert "CLAIR (gpt-mini): 6 more questions already have an answer" in again
