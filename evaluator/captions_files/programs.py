"""Results of evaluation programs, whose captions lie deeper than in a field: each becomes a flat row.

These are lmms-eval's samples, VLMEvalKit's tables, promptfoo's results, evalscope's predictions, the logs of
inspect_ai, the rows of Hugging Face's viewer, and the batches of OpenAI and Anthropic. A flat row has
`image_id`, `prediction` and, where the program keeps them, `references`; only VLMEvalKit's rows, which are
flat already, keep their own names. Other programs (LLaVA, MMF) write flat rows themselves.

Where a program got no caption, it writes a marker, an empty text or an error instead. Its flat row then has
an empty `prediction`, an `outcome`, and the words of the program as the `error`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from evaluator.captions_files.texts import first_text, literal_list
from evaluator.core import Outcome

Row = Mapping[str, Any]

# Rows at the beginning of a file among which a program is recognised: the first request may have failed.
FIRST_ROWS = 20

# What stands in a text that is no caption. lmms-eval 0.7: models/chat/openai.py, models/simple/gemini.py.
LMMS_EVAL_MARKERS: Mapping[str, Outcome] = MappingProxyType(
    {
        "[LMMS_EVAL_REQUEST_FAILED": Outcome.ERROR,
        "[LMMS_EVAL_BUDGET_EXCEEDED]": Outcome.SKIPPED,
        "[SAFETY_BLOCKED": Outcome.BLOCKED,
    }
)
# VLMEvalKit 0.2: vlmeval/smp/file.py, INFER_FAIL_MSG.
VLMEVALKIT_MARKERS: Mapping[str, Outcome] = MappingProxyType({"Failed to obtain answer": Outcome.ERROR})


class Program(NamedTuple):
    """How one program's rows are recognised and flattened."""

    name: str
    keys: frozenset[str]  # all of these are in its rows
    flat: Callable[[Row], dict[str, Any]]
    markers: Mapping[str, Outcome] | None = None  # its failures; None where it writes none into texts

    def row(self, entry: Row) -> dict[str, Any]:
        """The flat row; with `outcome` and `error` where it holds no caption."""
        flat = self.flat(entry)
        text = flat.get("prediction")
        if self.markers is not None and (outcome := _outcome(text, self.markers)):
            error = "the text is empty" if outcome is Outcome.EMPTY else str(text).strip()
            return {**flat, "prediction": "", "outcome": outcome.value, "error": error}
        if text is None and (error := _error_of(entry)):
            return {**flat, "prediction": "", "outcome": Outcome.ERROR.value, "error": error}
        return flat


def _outcome(text: Any, markers: Mapping[str, Outcome]) -> Outcome | None:
    """What a text stands for that is no caption; None for a caption. NaN is pandas' empty cell."""
    if text in (None, "", []) or text != text:
        return Outcome.EMPTY
    if not isinstance(text, str):
        return None
    return next((outcome for marker, outcome in markers.items() if marker in text), None)


def _error_of(row: Row) -> str:
    """What a row says of a request that failed; empty where it says nothing."""
    response, result = _object(row.get("response")), _object(row.get("result"))
    for place in (row, response, _object(response.get("body")), result):
        error = place.get("error")
        while isinstance(error, dict):  # Anthropic's is an object within an object
            error = error.get("error") or error.get("message") or error.get("code")
        if error:
            return str(error)
    return str(result["type"]) if isinstance(result.get("type"), str) else ""  # of Anthropic's: expired


def _lmms_eval(row: Row) -> dict[str, Any]:
    """Each metric of a task has the same object: the id, the caption and the references.

    CHAIR's has names of objects and a list of words instead, and that of a split without references has none.
    """
    values = (value for key, value in row.items() if key != "doc" and isinstance(value, dict))
    metric: Row = next((value for value in values if value.keys() & {"pred", "answer"}), {})
    doc = _object(row.get("doc"))
    ids = [
        *(metric.get(key) for key in ("image_id", "ann_id")),
        *(doc.get(key) for key in ("image_id", "ann_id", "id", "question_id", "image_name")),
        row.get("doc_id"),
    ]
    flat = {
        "image_id": next((each for each in ids if each is not None), None),
        "prediction": first_text(row.get("filtered_resps", row.get("resps"))),
    }
    if metric and ("answer" not in metric or isinstance(metric.get("pred"), list)):
        return flat
    return {**flat, "references": literal_list(metric.get("answer", row.get("target")))}


def _promptfoo(row: Row) -> dict[str, Any]:
    return {**_object(row.get("vars")), "prediction": _object(row.get("response")).get("output")}


def _evalscope(row: Row) -> dict[str, Any]:
    beside = {key: row[key] for key in ("target", "index") if key in row}
    return {**beside, **_object(row.get("metadata")), "prediction": message(row.get("model_output"))}


def _inspect(row: Row) -> dict[str, Any]:
    target = row.get("target")
    return {
        "image_id": row.get("id"),
        "prediction": message(row.get("output")),
        "references": [target] if isinstance(target, str) else target,
    }


def _batch(row: Row) -> dict[str, Any]:
    answer = _object(row.get("response")).get("body") or _object(row.get("result")).get("message")
    return {"image_id": row.get("custom_id"), "prediction": message(answer)}


def _viewer(row: Row) -> dict[str, Any]:
    return dict(_object(row.get("row")))


PROGRAMS = (
    Program("Hugging Face's viewer", frozenset({"row_idx", "row"}), _viewer),
    Program("lmms-eval", frozenset({"doc_id", "filtered_resps"}), _lmms_eval, LMMS_EVAL_MARKERS),
    Program("lmms-eval", frozenset({"doc_id", "resps"}), _lmms_eval, LMMS_EVAL_MARKERS),
    Program("VLMEvalKit", frozenset({"index", "question", "answer", "prediction"}), dict, VLMEVALKIT_MARKERS),
    Program("promptfoo", frozenset({"vars", "response"}), _promptfoo),
    Program("evalscope", frozenset({"model_output"}), _evalscope),
    Program("inspect_ai", frozenset({"input", "target", "output"}), _inspect),
    Program("a batch of requests", frozenset({"custom_id", "response"}), _batch),
    Program("a batch of requests", frozenset({"custom_id", "result"}), _batch),
)


def program_of(rows: Sequence[Any]) -> Program | None:
    """The program whose keys one of the first rows has, unless the deeper value is a text already."""
    first = [row for row in rows[:FIRST_ROWS] if isinstance(row, dict)]
    for program in PROGRAMS:
        row = next((row for row in first if program.keys <= row.keys()), None)
        if row is not None and not _is_flat(program, row):
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
