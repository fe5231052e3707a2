"""Judges outside of runs: from Python, against people, and checked themselves."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from evaluator import Judge, score
from evaluator.core.errors import MetricError
from evaluator.runner.default import DefaultRunner
from evaluator.scoring import score as score_run
from evaluator.store.run_folder import RunFolder
from tests.judging.conftest import CAPTIONS, Judging
from tests.judging.test_rubrics import with_pictures
from tests.wire_formats import verdict_on


def test_from_python(judging: Judging) -> None:
    judge = Judge("gpt-mini", options={"base_url": judging.server.base_url("openai")})
    captions = list(CAPTIONS.values())
    references = [[caption] for caption in captions]
    measured = score(captions, references, metrics=[judge], runner=DefaultRunner(cache="off"))
    (found,) = measured.values()
    assert found.per_image.tolist() == [json.loads(verdict_on(text))["score"] / 100 for text in captions]
    assert found.notes[0] == "it says a dog runs"
    assert score(captions, references, metrics=[judge])[found.name].value == found.value
    assert judging.asked == 6
    with pytest.raises(MetricError):
        judge.score([], [])


def test_against_people(judging: Judging) -> None:
    """A judge that likes long captions, and people who do not."""
    lines = ["image,caption,references,rating"]
    lines += [f"{item}.jpg,{text},{text},{10 - len(text) // 3}" for item, text in CAPTIONS.items()]
    (judging.folder / "ratings.csv").write_text("\n".join(lines))
    judging.server.judge = lambda caption: json.dumps({"score": 3 * len(caption)})
    address = f"scorer.judge.options.base_url={judging.server.base_url('openai')}"
    line = [
        "trust",
        "judge",
        "rouge",
        "--judgements",
        "table=ratings.csv",
        "scorer.judge.model=gpt-mini",
        address,
    ]
    more = ["prices=prices.yaml", "--resamples", "100"]
    done = judging.command(*line, *more, "--format", "json")
    assert done.returncode == 0, done.stderr
    rows = {row["metric"]: row for row in json.loads(done.stdout)}
    assert rows["CLAIR (gpt-mini)"]["value"] < -80
    assert "are kept in" in done.stderr
    assert judging.asked == 6
    again = judging.command(*line, *more, "cache=off", "--output", "page/trust.html")
    assert again.returncode == 0, again.stderr
    assert "CLAIR (gpt-mini): its questions have cost $0.0061" in again.stdout
    assert list((judging.folder / "page" / "judgements").glob("*/gpt-mini-clair/answers.jsonl"))


def test_judges_are_checked(judging: Judging) -> None:
    judging.without_a_judge()
    judging.server.judge = lambda caption: json.dumps({"score": min(100, 2 * len(caption))})
    address = f"scorer.judge.options.base_url={judging.server.base_url('openai')}"
    line = ["judge-check", "runs/one", "scorer.judge.model=[gpt-mini,gpt]", address, "prices=prices.yaml"]
    planned = judging.command(*line, "--plan")
    assert planned.returncode == 0, planned.stderr
    # Two draws, references reversed, a preamble, a sentence: five questions per caption and judge.
    assert [row.split()[1] for row in planned.stdout.splitlines() if row.startswith("gpt")][:2] == [
        "30",
        "30",
    ]
    assert judging.asked == 0
    done = judging.command(*line, "--resamples", "100", "--format", "json")
    assert done.returncode == 0, done.stderr
    found = {(row["judge"], row["check"], row["statistic"]): row for row in json.loads(done.stdout)}
    assert found["gpt-mini", "preamble", "effect"]["value"] == pytest.approx(
        2 * len("Here is a caption: "), abs=3
    )
    assert found["gpt-mini and gpt", "two judges", "mean difference"]["value"] == 0.0
    assert judging.asked == 60
    shown = judging.command(*line, "--resamples", "100")
    assert shown.returncode == 0, shown.stderr
    assert "irrelevant sentence" in shown.stdout
    assert judging.asked == 60


def test_pictures_of_somebody_else_s_run_are_sent_to_nobody(judging: Judging) -> None:
    judging.without_a_judge(with_pictures(judging))
    run = RunFolder(judging.path).load()
    judge = Judge("gpt-mini", "picture", {"base_url": judging.server.base_url("openai")})
    theirs = type(run)(run.path)
    vars(theirs)["_items"] = ([replace(item) for item in run.items], False)
    from evaluator.config.settings import Settings

    results = score_run(theirs, {"judge": judge}, Settings(resamples=50)).results
    assert "needs the pictures" in results.not_computed[0].reason
    assert judging.server.requests == []
