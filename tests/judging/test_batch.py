"""`runner=batch` as people type it: captions, and the judge that is asked about them."""

from __future__ import annotations

import json

import pytest

from evaluator.store.run_folder import RunFolder
from tests.judging.conftest import Judging
from tests.judging.test_rubrics import with_pictures
from tests.judging_commands import MODEL

BATCH = ("runner=batch", "runner.poll_seconds=0.01")


def test_captions_and_their_judge_at_half_price(judging: Judging) -> None:
    """The first command hands the images in, the second collects them and hands the questions in."""
    address = judging.server.base_url("openai")
    (judging.folder / "prices.yaml").write_text(f"{MODEL}: {{input: 1.0, output: 1.0, batch: 0.5}}\n")
    line = [
        *("model=gpt-mini", f"model.base_url={address}", "prompt=one-sentence", "data=demo", "limit=3"),
        *("resamples=50", "prices=prices.yaml", *judging.judge, *BATCH, "name=one"),
    ]
    planned = judging.command("plan", *line)
    assert planned.returncode == 0, planned.stderr
    assert (
        "$0.5 input, $0.5 output per million tokens\n  (prices=FILE, times 0.5 for a batch" in planned.stdout
    )
    assert "answered within a day" in planned.stdout

    handed_in = judging.command("run", *line)
    assert handed_in.returncode == 3, handed_in.stderr
    assert "batch jobs at the provider: 1, with 3 requests" in " ".join(handed_in.stderr.split())
    assert "requests that were in flight" not in handed_in.stderr
    run = RunFolder(judging.path).load()
    assert (run.results.captioned, run.results.not_tried) == (0, 3)

    asked_about = judging.command("run", *line)
    assert asked_about.returncode == 3, asked_about.stderr
    assert "requests that were in flight" not in asked_about.stderr
    run = RunFolder(judging.path).load()
    assert run.results.captioned == 3
    assert run.results.cost_usd == pytest.approx(3 * 1012 / 1e6 / 2)

    done = judging.command("run", *line)
    assert done.returncode == 0, done.stderr
    score = judging.score()
    assert (score.images, score.cost_usd) == (3, pytest.approx(3 * 1012 / 1e6 / 2))
    jobs = (judging.path / "judgements" / "gpt-mini-clair" / "batches.jsonl").read_text().splitlines()
    assert [json.loads(job)["state"] for job in jobs] == ["uploading", "creating", "created", "ended"]
    assert sum(judging.server.batches.paid.values()) == 6
    assert judging.asked == 0, "a request was sent by itself"


def test_a_model_without_probabilities_is_asked_without(judging: Judging) -> None:
    """The requests are rejected at no cost, and made again by the same command."""
    judging.server.batches.complaint = lambda body: (
        "logprobs are not supported with this model" if "logprobs" in body else ""
    )
    judging.server.batches.judge = lambda caption: '{"score": 0.8, "reason": "fits"}'
    run = judging(with_pictures(judging), "scorer.judge.rubric=picture", *BATCH, "runner.wait=true")
    score = judging.score("picture fit (gpt-mini)")
    assert (score.value, score.images, run.results.unanswered) == (pytest.approx(0.8), 6, ())
    assert "|smoothing:none|" in score.signature
    assert [len(job.requests) for job in judging.server.batches.jobs.values()] == [6, 6]
    assert set(judging.server.batches.paid.values()) == {1}
