"""Which metric is being computed is shown."""

from __future__ import annotations

import logging

import pytest

from evaluator.core import Item
from evaluator.scorers import progress
from evaluator.scorers.bleu import BLEU
from evaluator.scorers.measure import measure
from evaluator.scorers.rouge import ROUGE


def test_each_scorer_is_named_before_it_works() -> None:
    begun: list[str] = []
    measure({"bleu": BLEU(), "rouge": ROUGE()}, [Item("1", None, ("a dog",))], ["a dog"], begun.append)
    assert begun == ["BLEU-1, BLEU-2, BLEU-3, BLEU-4", "ROUGE-L"]


def test_a_log_names_what_comes_after_a_long_step(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    with caplog.at_level(logging.INFO, "evaluator"), progress.scoring_progress(5000) as begin:
        begin("BLEU")
        monkeypatch.setattr(progress, "LOG_SECONDS", 0.0)
        begin("METEOR")
    assert [record.getMessage() for record in caplog.records] == ["scoring 5000 captions: METEOR"]
