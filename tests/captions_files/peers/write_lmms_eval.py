"""Files that lmms-eval writes: its evaluator runs its own tasks, with a model that answers from a list.

    python -m tests.captions_files.peers.write_lmms_eval FOLDER [CAPTIONS REFERENCES]

README.md says which version wrote the files beside this one. It scores as well, for which it needs Java.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import lmms_eval
import pyarrow as pa
import pyarrow.parquet as pq
from lmms_eval import evaluator
from lmms_eval.api.model import lmms
from lmms_eval.loggers.evaluation_tracker import EvaluationTracker
from lmms_eval.tasks import TaskManager

from tests.captions_files.peers.demo_captions import Row, demo_rows, rows_of_files

# As models/chat/openai.py and models/simple/gemini.py write them.
FAILURES = (
    "[LMMS_EVAL_REQUEST_FAILED after 5 retries] Connection error.",
    "[LMMS_EVAL_BUDGET_EXCEEDED]",
    "[SAFETY_BLOCKED:PROHIBITED_CONTENT]",
    "",
)
TASKS = ("coco_cap/coco2017_cap_val", "textcaps/textcaps_val", "refcoco/refcoco_bbox_val")
STAMP = "20261125_000000"


def document_of(task: str, row: Row) -> dict[str, Any]:
    """The row as the task's data set has it, as far as the task reads it."""
    if task.startswith("coco_cap"):
        return {"question_id": row.file_name, "id": row.id, "answer": row.references}
    if task.startswith("textcaps"):
        return {"question_id": row.id, "image_id": f"{row.id:016x}", "caption_str": row.references}
    return {"question_id": str(row.id), "answer": row.references}


class Listed(lmms):
    """A model whose answers are known before."""

    is_simple = True

    def __init__(self, texts: Sequence[str]) -> None:
        super().__init__()
        self.texts = texts

    def generate_until(self, requests: list[Any]) -> list[str]:
        return [self.texts[request.args[3]] for request in requests]  # by the number of the document

    def generate_until_multi_round(self, requests: list[Any]) -> list[str]:
        raise NotImplementedError

    def loglikelihood(self, requests: list[Any]) -> list[Any]:
        raise NotImplementedError


def write_samples(task: str, rows: Sequence[Row], folder: Path) -> Path:
    """Run a task and return the samples file. The task is lmms-eval's; only its data set is local."""
    name = Path(task).name
    packaged = Path(lmms_eval.__file__).parent / "tasks" / f"{task}.yaml"
    with tempfile.TemporaryDirectory() as temporary:
        data = Path(temporary) / "rows.parquet"
        pq.write_table(pa.Table.from_pylist([document_of(task, row) for row in rows]), data)
        (Path(temporary) / f"{name}.yaml").write_text(
            f"include: {packaged}\ndataset_path: parquet\ndataset_kwargs:\n  data_files:\n    val: {data}\n"
        )
        tasks = TaskManager("WARNING", include_path=temporary, include_defaults=False, model_name="listed")
        tracker = EvaluationTracker(output_path=str(folder))
        results = evaluator.simple_evaluate(
            model=Listed([row.text for row in rows]),
            tasks=[name],
            task_manager=tasks,
            cli_args=SimpleNamespace(output_path=str(folder), process_with_media=False),
            evaluation_tracker=tracker,
        )
    samples = results.pop("samples")
    tracker.save_results_aggregated(results=results, samples=samples, datetime_str=STAMP)
    tracker.save_results_samples(task_name=name, samples=samples[name])
    return next(folder.rglob(f"{STAMP}_samples_{name}.jsonl"))


def main(folder: str, *files: str) -> None:
    for task in TASKS[: 1 if files else None]:
        rows = rows_of_files(*files) if files else demo_rows(FAILURES)
        print(write_samples(task, rows, Path(folder).resolve()))


if __name__ == "__main__":
    main(*sys.argv[1:])
