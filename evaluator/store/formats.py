"""How values become lines and documents of a run folder, and what is read from them.

Every line and document is checked against its dataclass by pydantic; what does not fit is one StoreError that
says where. The files may be somebody else's: what they nest, count and measure is bounded as well.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, replace
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Gt, Lt, MaxLen

from evaluator.core import (
    AGGREGATES,
    Caption,
    DrawSpread,
    Finding,
    Item,
    Measurement,
    NotComputed,
    Outcome,
    Reply,
    Results,
    Score,
    Signature,
    Style,
)
from evaluator.core.batch_jobs import Job
from evaluator.core.errors import StoreError
from evaluator.files.json_bytes import decode_json
from evaluator.store.request_log import RequestLine

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Value = TypeVar("Value")
Name = Annotated[str, MaxLen(200)]
Count = Annotated[int, Ge(0)]

DEEPEST = 50  # lists and objects within each other in a document
LARGEST = 1e15  # and its negative: no count, time or cost of a run is beyond


@dataclass(frozen=True)
class ScoreEntry:
    """A metric in scores.json."""

    computed: Literal[True]
    value: float
    low: float
    high: float
    signature: Annotated[str, MaxLen(10_000)]
    aggregate: Name
    higher_is_better: bool
    images: Count
    cost_usd: Annotated[float, Ge(0)] | None = None  # of a judge; earlier versions have none
    cut_off: Count = 0  # earlier versions did not count it


@dataclass(frozen=True)
class ReasonEntry:
    """A metric in scores.json that could not be computed."""

    computed: Literal[False]
    reason: str


@dataclass(frozen=True)
class ScoresDocument:
    """scores.json."""

    images: Count
    outcomes: Mapping[Outcome, Count]
    scores: Mapping[Name, ScoreEntry | ReasonEntry]
    confidence: Annotated[float, Gt(0), Lt(1)]
    images_per_second: float | None
    cost_usd: float | None
    style: Style | None
    fingerprint: str
    inputs: str = ""  # the digest of the items and captions that were scored; empty before it was written
    findings: Annotated[tuple[Finding, ...], MaxLen(100)] = ()  # earlier versions looked for no damage
    final_failures: Count = 0  # earlier versions took a failure in a file for a caption
    unanswered: tuple[Name, ...] = ()
    draws: Annotated[tuple[DrawSpread, ...], MaxLen(1000)] = ()
    draws_to_make: Count = 0
    seconds_to_load: Annotated[float, Ge(0)] | None = None  # earlier versions did not measure these
    peak_memory: Count | None = None
    scoring: str = ""  # what statistics.npz and per_image.parquet of the same scoring have as well

    @property
    def computed(self) -> dict[str, ScoreEntry]:
        return {name: entry for name, entry in self.scores.items() if isinstance(entry, ScoreEntry)}


@dataclass(frozen=True)
class NotesDocument:
    """notes.json: what scorers say about single captions, by metric and image."""

    scoring: str  # the same as in scores.json
    notes: Mapping[Name, Mapping[str, str]]


@cache
def _schema(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def checked(kind: type[Value], document: Mapping[str, Any]) -> Value:
    """A dataclass from its document. Raises pydantic's ValidationError."""
    value: Value = _schema(kind).validate_python(document)  # type: ignore[arg-type]
    return value


def from_line(kind: type[Value], line: bytes) -> Value:
    """A dataclass from a line of JSON. Raises ValueError: a JSONDecodeError where the line is no JSON."""
    try:
        value: Value = _schema(kind).validate_json(line)  # type: ignore[arg-type]
        return value
    except ValueError as error:
        from pydantic import ValidationError

        if isinstance(error, ValidationError) and error.errors()[0]["type"] != "json_invalid":
            raise
    return checked(kind, bounded(decode_json(line)))  # half of a surrogate pair, or no JSON at all


def bounded(document: Any) -> Any:
    """The document. Raises ValueError where it is nested too deeply or holds a number out of all bounds."""
    level = [document]
    for _ in range(DEEPEST):
        children: list[Any] = []
        for value in level:
            match value:
                case dict():
                    children += value.values()
                case list():
                    children += value
                case int() | float() if not abs(value) <= LARGEST:
                    raise ValueError("a number is infinite or out of bounds")
        if not children:
            return document
        level = children
    raise ValueError("it is nested too deeply")


@contextmanager
def understanding(where: str, advice: str) -> Iterator[None]:
    """A document that this program does not write becomes a StoreError with its place and what to type."""
    from pydantic import ValidationError

    try:
        yield
    except StoreError:
        raise
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = f"{'.'.join(map(str, first['loc']))[:100]}: {first['msg'][:200]}"
        raise StoreError(f"{where} is not what this program writes ({reason}). {advice}") from error
    # The readers of damaged files raise anything, from KeyError to zlib.error and MemoryError.
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise StoreError(f"{where} is not what this program writes ({reason}). {advice}") from error


def item_to_json(item: Item) -> dict[str, Any]:
    image = str(item.image) if item.image else None
    return {"id": item.id, "image": image, "references": item.references, "tags": item.tags}


def item_from_line(line: bytes) -> Item:
    return from_line(Item, line)


_REPLY_FIELDS = tuple(field.name for field in fields(Reply))
_CAPTION_FIELDS = tuple(field.name for field in fields(Caption))


def caption_to_json(caption: Caption) -> dict[str, Any]:
    """The document of a line; what a reply does not say is left out."""
    document = {name: getattr(caption, name) for name in _CAPTION_FIELDS}
    if not caption.requests:  # a local model sends none
        del document["requests"]
    if caption.reply:
        values = ((name, getattr(caption.reply, name)) for name in _REPLY_FIELDS)
        document["reply"] = {
            name: value for name, value in values if value not in (None, "", ()) or name == "text"
        }
    return document


def caption_from_line(line: bytes) -> Caption:
    if b'"cached"' in line:  # of version 0.1.0, where a caption from a file has the finish reason "supplied"
        document = bounded(decode_json(line))
        caption = checked(Caption, document)
        if document["cached"]:
            supplied = caption.reply is not None and caption.reply.finish_reason == "supplied"
            caption = replace(caption, source="file" if supplied else "cache")
    else:
        caption = from_line(Caption, line)
    if not math.isfinite(caption.seconds) or not math.isfinite(caption.answered_at or 0.0):
        raise ValueError("a time is not a finite number")
    return caption


def request_from_line(line: bytes) -> RequestLine:
    return from_line(RequestLine, line)


def job_from_line(line: bytes) -> Job:
    return from_line(Job, line)


def results_to_json(results: Results, measurements: Sequence[Measurement]) -> dict[str, Any]:
    """The document of scores.json; each score names the aggregate of its statistics."""
    aggregates = {measurement.name: measurement.aggregate for measurement in measurements}
    scores: dict[str, dict[str, Any]] = {}
    for score in results.scores:
        document = asdict(score) | {"signature": str(score.signature)}
        del document["name"]
        if score.cost_usd is None:
            del document["cost_usd"]
        scores[score.name] = document | {"aggregate": aggregates[score.name], "computed": True}
    for missing in results.not_computed:
        scores[missing.name] = {"reason": missing.reason, "computed": False}
    return {
        "images": results.images,
        "captioned": results.captioned,
        "outcomes": {str(outcome): count for outcome, count in results.outcomes.items()},
        "images_per_second": results.images_per_second,
        "seconds_to_load": results.seconds_to_load,
        "peak_memory": results.peak_memory,
        "cost_usd": results.cost_usd,
        "confidence": results.confidence,
        "scores": scores,
        "style": asdict(results.style) if results.style else None,
        "findings": [asdict(finding) for finding in results.findings],
        "fingerprint": results.fingerprint,
        "final_failures": results.final_failures,
        "unanswered": results.unanswered,
        **({"draws": [asdict(one) for one in results.draws]} if results.draws else {}),
        **({"draws_to_make": results.draws_to_make} if results.draws_to_make else {}),
    }


def results_from_document(document: ScoresDocument) -> Results:
    if unknown := {entry.aggregate for entry in document.computed.values()} - AGGREGATES.keys():
        raise ValueError(f"there is no aggregate {unknown.pop()!r}")
    alike = {each.name for each in fields(Results)} - {"scores", "not_computed"}
    return Results(
        **{name: getattr(document, name) for name in alike},
        scores=tuple(_score(name, entry) for name, entry in document.computed.items()),
        not_computed=tuple(
            NotComputed(name, entry.reason)
            for name, entry in document.scores.items()
            if isinstance(entry, ReasonEntry)
        ),
    )


def _score(name: str, entry: ScoreEntry) -> Score:
    return Score(
        name,
        entry.value,
        entry.low,
        entry.high,
        Signature(entry.signature),
        entry.higher_is_better,
        entry.images,
        entry.cost_usd,
        entry.cut_off,
    )
