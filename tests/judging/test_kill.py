"""kill -9 while a judge is asked: no answer is lost, and nothing that was answered is asked twice."""

from __future__ import annotations

import json

from evaluator.store.run_folder import RunFolder
from tests.judging.conftest import CAPTIONS, Judging
from tests.killed import kill_after_lines
from tests.wire_formats import Answer, document, verdict_on


def test_a_killed_run_asks_no_answered_question_again(judging: Judging) -> None:
    """One request at a time, each after a while: the kill comes while the third question is open."""
    judging.server.judge = lambda caption: Answer(body=document("openai", verdict_on(caption)), seconds=0.5)
    answers = judging.path / "judgements" / "gpt-mini-clair" / "answers.jsonl"
    line = ["run", *judging.arguments, "name=one", "cache=off", "runner.requests.in_flight=1"]
    survived = kill_after_lines(line, judging.folder, answers, 2)
    judging.server.judge = verdict_on
    score = judging("cache=off").results.scores[-1]
    assert score.images == 6
    assert answers.read_bytes().startswith(survived)
    answered = [json.loads(each)["item_id"].partition(" ")[0] for each in answers.read_bytes().splitlines()]
    assert sorted(answered) == sorted(CAPTIONS)
    # The question that was open may have been billed: it counts with the most that it can cost.
    assert judging.asked in (6, 7)
    known = RunFolder(judging.path).load().results.scores[-1].cost_usd
    assert known is not None
    assert known > 6 * 1012 / 1e6
