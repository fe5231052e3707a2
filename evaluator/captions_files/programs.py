"""Results of evaluation programs, whose captions lie deeper than in a field: each becomes a flat row.

lmms-eval's samples, promptfoo's results, evalscope's predictions, the logs of inspect_ai, the rows of Hugging
Face's viewer, and the results of the batch interfaces of OpenAI and Anthropic. A flat row has `image_id`,
`prediction` and, where the program keeps them, `references`. Other programs (VLMEvalKit, LLaVA, MMF) write
flat rows themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from evaluator.captions_files.texts import first_text, literal_list

Row = Mapping[str, Any]


class Program(NamedTuple):
    """How one program's rows are recognised and flattened."""

    name: str
    keys: frozenset[str]  # all of these are in its rows
    flat: Callable[[Row], dict[str, Any]]


def _lmms_eval(row: Row) -> dict[str, Any]:
    """Each metric of a captioning task has the same object: its references, the caption and the id."""
    metrics = (value for key, value in row.items() if key.endswith("_CIDEr") and isinstance(value, dict))
    metric: Row = next(metrics, {})
    doc = _object(row.get("doc"))
    ids = [
        *(metric.get(key) for key in ("image_id", "ann_id")),
        *(doc.get(key) for key in ("image_id", "ann_id", "id", "question_id", "image_name")),
        row.get("doc_id"),
    ]
    references = metric.get("answer", row.get("target"))
    return {
        "image_id": next((each for each in ids if each is not None), None),
        "prediction": first_text(row.get("filtered_resps", row.get("resps"))),
        "references": literal_list(references),
    }


def _promptfoo(row: Row) -> dict[str, Any]:
    response = row["response"] if isinstance(row["response"], dict) else {}
    return {**_object(row["vars"]), "prediction": response.get("output")}


def _evalscope(row: Row) -> dict[str, Any]:
    beside = {key: row[key] for key in ("target", "index") if key in row}
    return {**beside, **_object(row.get("metadata")), "prediction": message(row["model_output"])}


def _inspect(row: Row) -> dict[str, Any]:
    target = row["target"]
    return {
        "image_id": row.get("id"),
        "prediction": message(row["output"]),
        "references": [target] if isinstance(target, str) else target,
    }


def _batch(row: Row) -> dict[str, Any]:
    answer = _object(row.get("response")).get("body") or _object(row.get("result")).get("message")
    return {"image_id": row["custom_id"], "prediction": message(answer)}


def _viewer(row: Row) -> dict[str, Any]:
    return dict(_object(row["row"]))


PROGRAMS = (
    Program("Hugging Face's viewer", frozenset({"row_idx", "row"}), _viewer),
    Program("lmms-eval", frozenset({"doc_id", "filtered_resps"}), _lmms_eval),
    Program("lmms-eval", frozenset({"doc_id", "resps"}), _lmms_eval),
    Program("promptfoo", frozenset({"vars", "response"}), _promptfoo),
    Program("evalscope", frozenset({"model_output"}), _evalscope),
    Program("inspect_ai", frozenset({"input", "target", "output"}), _inspect),
    Program("a batch of requests", frozenset({"custom_id", "response"}), _batch),
    Program("a batch of requests", frozenset({"custom_id", "result"}), _batch),
)


def program_of(rows: Sequence[Any]) -> Program | None:
    """The program whose keys the first row has, unless the deeper value is a text already."""
    first = rows[0] if rows and isinstance(rows[0], dict) else {}
    for program in PROGRAMS:
        if program.keys <= first.keys() and not _is_flat(program, first):
            return program
    return None


def _is_flat(program: Program, row: Row) -> bool:
    deep = {"evalscope": "model_output", "inspect_ai": "output", "promptfoo": "vars"}.get(program.name)
    return deep is not None and not isinstance(row[deep], dict)


def message(answer: Any) -> Any:
    """The text of a chat answer: of OpenAI's form, of Anthropic's, or inspect_ai's `completion`."""
    answer = _object(answer)
    choices = answer.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        content = _object(choices[0].get("message")).get("content")
    else:
        content = answer.get("completion", answer.get("content"))
    if isinstance(content, list):  # parts
        texts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(text for text in texts if isinstance(text, str)) or None
    return content


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
