"""Files that lmms-eval and VLMEvalKit wrote by their own code: peers/README.md says which versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner

from evaluator import score
from evaluator.captions_files.reader import Failure, read_captions
from evaluator.cli.console import ExitCode
from evaluator.cli.score import score_command
from evaluator.core import Item, Outcome
from evaluator.core.errors import DataError
from evaluator.data.coco import COCO
from evaluator.data.karpathy import Karpathy
from evaluator.models.replay import Replay
from evaluator.store.run_folder import RunFolder
from tests.captions_files.peers.demo_captions import DEMO, demo_rows
from tests.captions_files.test_cases import replayed

PEERS = Path(__file__).parent / "peers"
LMMS_EVAL = {
    "coco2017_cap_val": "{}".format,
    "textcaps_val": lambda number: f"{number:016x}",
    "refcoco_bbox_val": "{}".format,  # by ann_id
}
VLMEVALKIT = ("xlsx", "tsv", "json")
LMMS_EVAL_FAILURES = (
    Failure(Outcome.ERROR, "[LMMS_EVAL_REQUEST_FAILED after 5 retries] Connection error."),
    Failure(Outcome.SKIPPED, "[LMMS_EVAL_BUDGET_EXCEEDED]"),
    Failure(Outcome.BLOCKED, "[SAFETY_BLOCKED:PROHIBITED_CONTENT]"),
    Failure(Outcome.EMPTY, "the text is empty"),
)
VLMEVALKIT_FAILURES = (
    Failure(Outcome.ERROR, "Failed to obtain answer via API."),
    Failure(Outcome.ERROR, "Failed to obtain answer: <class 'RuntimeError'> CUDA out of memory."),
)


def vlmevalkit(ending: str) -> Path:
    return PEERS / f"vlmevalkit_COCO_VAL.{ending}"


@pytest.mark.parametrize("task", LMMS_EVAL)
def test_samples_of_lmms_eval(task: str) -> None:
    """The ids are image_id or ann_id; the markers are no captions; the references are in the file."""
    path = PEERS / f"lmms_eval_{task}.jsonl"
    rows = demo_rows(("",) * len(LMMS_EVAL_FAILURES))
    ids = [LMMS_EVAL[task](row.id) for row in rows]
    file = read_captions(path)
    assert dict(file.captions) == dict(zip(ids, [row.text for row in rows[:3]], strict=False))
    assert dict(file.failures) == dict(zip(ids[3:], LMMS_EVAL_FAILURES, strict=True))
    assert "lmms-eval" in file.notes[0]
    assert "4 of its 7 captions are failures and not scored" in file.notes[1]
    items = Karpathy(None, path).load()
    assert [(item.id, list(item.references)) for item in items] == [
        (item_id, row.references) for item_id, row in zip(ids, rows, strict=True)
    ]


@pytest.mark.parametrize("ending", VLMEVALKIT)
def test_tables_of_vlmevalkit(ending: str) -> None:
    rows = demo_rows(("",) * len(VLMEVALKIT_FAILURES))
    file = read_captions(vlmevalkit(ending))
    assert dict(file.captions) == {row.file_name: row.text for row in rows[:3]}
    assert list(file.failures.values()) == list(VLMEVALKIT_FAILURES)
    assert "of VLMEvalKit" in file.notes[0]
    # The demo's references are five per image, of which the file has four: the names decide.
    items = [item for item in COCO(None, DEMO).load() if int(item.id) < 6]
    assert replayed(Replay(vlmevalkit(ending)), items) == {str(row.id): row.text for row in rows[:3]}


def test_a_failure_is_final_and_is_not_scored(tmp_path: Path) -> None:
    """The run is complete, says why images have no caption, and a repeated command asks for nothing."""
    arguments = [str(PEERS / "lmms_eval_coco2017_cap_val.jsonl"), "--scorer", "bleu", "resamples=10"]
    done = CliRunner().invoke(
        score_command, [*arguments, "--output", str(tmp_path / "out")], standalone_mode=False
    )
    assert done.return_value == ExitCode.OK, done.output
    run = RunFolder(tmp_path / "out").load()
    assert dict(run.results.outcomes) == {"ok": 3, "error": 1, "skipped": 1, "blocked": 1, "empty": 1}
    assert not run.results.is_incomplete
    assert [(caption.outcome, caption.error) for caption in run.captions.values()][3:] == [
        (failure.outcome, failure.reason) for failure in LMMS_EVAL_FAILURES
    ]
    references = {item.id: item.references for item in run.items[:3]}
    texts = {item_id: str(run.captions[item_id].text) for item_id in references}
    assert run.results.scores[0].value == score(texts, references)["BLEU-1"].value
    assert "1 failed with an error: [LMMS_EVAL_REQUEST_FAILED after 5 retries]" in done.output
    assert "again" not in done.output
    assert "budget_usd" not in done.output
    before = (tmp_path / "out" / "captions.jsonl").read_bytes()
    CliRunner().invoke(score_command, [*arguments, "--output", str(tmp_path / "out")])
    assert (tmp_path / "out" / "captions.jsonl").read_bytes() == before


def test_row_numbers_are_matched_by_the_references(tmp_path: Path) -> None:
    """VLMEvalKit's table without the column of names: 0 to 4 are no ids of COCO, although most occur."""
    table = pd.read_csv(vlmevalkit("tsv"), sep="\t").drop(columns="image_path")
    table.to_csv(tmp_path / "a.tsv", sep="\t", index=False)
    rows = demo_rows(("", ""))
    items = [Item(str(row.id), None, tuple(reversed(row.references))) for row in rows]
    assert replayed(Replay(tmp_path / "a.tsv"), items) == {str(row.id): row.text for row in rows[:3]}
    own = Karpathy(None, tmp_path / "a.tsv")
    assert list(replayed(Replay(tmp_path / "a.tsv"), own.load(), own)) == ["0", "1", "2"]
    with pytest.raises(DataError, match="none of its 5 captions"):
        replayed(Replay(tmp_path / "a.tsv"), [Item(name, None, ("a dog",)) for name in "abcde"])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (  # lmms-eval before 0.7
            [{"doc_id": 0, "doc": {"image_id": 7}, "target": "['a', 'b']", "resps": [["x"]],
              "filtered_resps": ["a dog"]}],
            {"7": "a dog"},
        ),
        (  # CHAIR, whose metric holds lists of objects
            [{"doc_id": 0, "target": "['dog']", "filtered_resps": "a dog",
              "coco_cap_chair_i": {"answer": ["dog"], "pred": ["dog"], "image_id": 7}}],
            {"7": "a dog"},
        ),
        (  # a split without references
            [{"doc_id": 0, "target": "None", "filtered_resps": "a dog",
              "coco_passthrough": {"pred": ["a dog"], "image_id": 7}}],
            {"7": "a dog"},
        ),
        (  # promptfoo
            [{"vars": {"image": "a.jpg"}, "response": None, "error": "API error: 500"},
             {"vars": {"image": "b.jpg"}, "response": {"output": "a dog"}}],
            {"b.jpg": "a dog", "a.jpg": Failure(Outcome.ERROR, "API error: 500")},
        ),
        (  # a batch of OpenAI
            [{"custom_id": "1", "response": {"body": {"error": {"message": "bad picture"}}}, "error": None},
             {"custom_id": "2", "response": None, "error": {"code": "batch_expired"}}],
            {"1": Failure(Outcome.ERROR, "bad picture"), "2": Failure(Outcome.ERROR, "batch_expired")},
        ),
        (  # a batch of Anthropic
            [{"custom_id": "1", "result": {"type": "expired"}},
             {"custom_id": "2", "result": {"type": "errored", "error": {"error": {"message": "busy"}}}}],
            {"1": Failure(Outcome.ERROR, "expired"), "2": Failure(Outcome.ERROR, "busy")},
        ),
    ],
    ids=["older lmms-eval", "chair", "passthrough", "promptfoo", "openai batch", "anthropic batch"],
)  # fmt: skip
def test_other_shapes(
    tmp_path: Path, rows: list[dict[str, Any]], expected: Mapping[str, str | Failure]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert read_captions(path).answers == expected
    if "chair" in str(rows) or "passthrough" in str(rows):
        with pytest.raises(DataError, match="a file of captions, without references"):
            COCO(None, path).load()


def test_capevalkits_pair_of_files(tmp_path: Path) -> None:
    """As its infrastructure/benchmarks/legacy.py writes them: the picture is no id of the references."""
    captions = [{"id": f"x{n}", "caption": f"a dog {n}", "image": f"img/{n + 5}.jpg"} for n in range(3)]
    references = [{"id": f"x{n}", "references": ["a dog", "a pet"]} for n in range(3)]
    for name, rows in (("caps", captions), ("refs", references)):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    items = Karpathy(None, tmp_path / "refs.jsonl").load()
    assert replayed(Replay(tmp_path / "caps.jsonl"), items) == {f"x{n}": f"a dog {n}" for n in range(3)}


def test_markers_are_captions_where_the_program_is_unknown(tmp_path: Path) -> None:
    """The audit names them, and refusals=missing leaves them out."""
    path = tmp_path / "a.json"
    path.write_text(json.dumps([{"image_id": 1, "caption": "Failed to obtain answer via API."}]))
    assert read_captions(path).captions == {"1": "Failed to obtain answer via API."}


def test_samples_of_lmms_eval_score_as_their_system(real_data: Path, tmp_path: Path) -> None:
    """The form is that of a line which lmms-eval wrote; the numbers are those of pycocoevalcap 1.2."""
    form = json.loads((PEERS / "lmms_eval_coco2017_cap_val.jsonl").read_text().partition("\n")[0])
    system = json.loads((real_data / "systems" / "blip2_opt2.7b_coco_finetuned.json").read_bytes())
    references = {
        item.id: item.references
        for item in COCO(None, real_data / "coco" / "captions_karpathy_test.json").load()
    }
    with (tmp_path / "samples.jsonl").open("w") as file:
        for number, entry in enumerate(system):
            texts, text = list(references[str(entry["image_id"])]), entry["caption"]
            metric = {"answer": texts, "pred": text, "image_id": entry["image_id"], "id": number}
            sample = {key: metric if isinstance(value, dict) else value for key, value in form.items()}
            sample |= {"doc_id": number, "target": str(texts), "filtered_resps": text}
            file.write(json.dumps(sample, ensure_ascii=False) + "\n")
    data = Karpathy(None, Path(file.name))
    items = data.load()
    captions = replayed(Replay(Path(file.name)), items, data)
    measured = score(captions, {item.id: item.references for item in items})
    expected = json.loads((real_data / "systems" / "scores.json").read_bytes())
    recomputed = expected["blip2_opt2.7b_coco_finetuned"]["recomputed_with_pycocoevalcap_1.2"]
    for name, key in (("BLEU-4", "Bleu_4"), ("ROUGE-L", "ROUGE_L"), ("CIDEr", "CIDEr")):
        assert measured[name].value == pytest.approx(recomputed[key], abs=1e-9)
