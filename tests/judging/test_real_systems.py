"""Published captions of real photographs, judged beside CIDEr and CHAIR: the whole table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluator.comparison.compare import compare
from evaluator.config.run_config import run_configs
from evaluator.evaluate import evaluate
from evaluator.report.text.comparison import as_json, markdown
from evaluator.store.run import Run
from tests.judging.conftest import Judging
from tests.wire_formats import said, verdict_on

SYSTEMS = ("blip2_opt2.7b_coco_finetuned", "minigpt4_vicuna7b_zeroshot")


def test_cider_a_judge_and_chair_in_one_table(judging: Judging, real_data: Path) -> None:
    """The judge refuses captions of more than 60 words, and is asked about every other one."""

    def verdict(caption: str) -> object:
        refusal = said("openai", None, refusal="That is too long for me.")
        return refusal if len(caption.split()) > 60 else verdict_on(caption)

    judging.server.judge = verdict  # type: ignore[assignment]
    data = ["data=karpathy", f"data.annotations={real_data}/coco/captions_karpathy_test.json"]
    data += [f"data.images={real_data}/coco/images", "only_with_images=true", "resamples=100"]
    data += [f"data.instances={real_data}/coco/instances_val2017_subset.json"]
    judge = [*judging.judge, "scorer=[cider,judge,chair]", "prices=prices.yaml"]
    runs: list[Run] = []
    for system in SYSTEMS:
        captions = f"model.captions={real_data}/systems/{system}.json"
        (config,) = run_configs(["model=replay", captions, f"name={system[:8]}", *data, *judge])
        runs.append(evaluate(config))
    comparison = compare(runs)
    documents = json.loads(as_json(comparison))["runs"]
    assert [document["captioned"] for document in documents] == [32, 32]
    for run, document in zip(runs, documents, strict=True):
        texts = [caption.text or "" for caption in run.captions_of_items.values()]
        judged = sum(len(text.split()) <= 60 for text in texts)
        score = document["scores"]["CLAIR (gpt-mini)"]
        assert score["images"] == judged
        assert score["low"] < score["value"] < score["high"]
        assert score["cost_usd"] == pytest.approx(32 * 1012 / 1e6)  # a refusal is billed, too
        assert f"{judged} of 32, $0.032" in markdown(comparison)
        assert {"CIDEr", "CHAIR-s"} <= document["scores"].keys()
        notes = run.measurements["CLAIR (gpt-mini)"].notes
        assert sum("That is too long for me." in note for note in notes) == 32 - judged
    assert comparison.pairs.difference("CLAIR (gpt-mini)", 0, 1) is not None
