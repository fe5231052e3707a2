"""How values become lines and documents of a run folder, and what is read from them.

Every document is checked against its dataclass by pydantic; what does not fit is one StoreError that says
where.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from zipfile import BadZipFile

from evaluator.core import (
    Caption,
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
from evaluator.core.errors import StoreError
from evaluator.store.request_log import RequestLine

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Value = TypeVar("Value")


@cache
def _schema(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def checked(kind: type[Value], document: Mapping[str, Any]) -> Value:
    """A dataclass from its document. Raises pydantic's ValidationError."""
    value: Value = _schema(kind).validate_python(document)  # type: ignore[arg-type]
    return value


@contextmanager
def understanding(where: str, advice: str) -> Iterator[None]:
    """A document that this program does not write becomes a StoreError with its place and what to type."""
    from pydantic import ValidationError

    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        option = ".".join(map(str, first["loc"]))
        raise StoreError(
            f"{where} is not what this program writes ({option}: {first['msg']}). {advice}"
        ) from error
    except (KeyError, TypeError, ValueError, AttributeError, OSError, BadZipFile) as error:
        reason = f"{type(error).__name__}: {error}"
        raise StoreError(f"{where} is not what this program writes ({reason}). {advice}") from error


def item_to_json(item: Item) -> dict[str, Any]:
    image = str(item.image) if item.image else None
    return {"id": item.id, "image": image, "references": item.references, "tags": item.tags}


def item_from_json(line: Mapping[str, Any]) -> Item:
    return checked(Item, {**line, "image": Path(line["image"]) if line["image"] else None})


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
            name: value for name, value in values if value not in (None, "") or name == "text"
        }
    return document


def caption_from_json(line: Mapping[str, Any]) -> Caption:
    if "cached" in line:  # of version 0.1.0, where a caption from a file has the finish reason "supplied"
        supplied = (line["reply"] or {}).get("finish_reason") == "supplied"
        line = {**line, "source": "model" if not line["cached"] else "file" if supplied else "cache"}
    return checked(Caption, line)


def request_from_json(line: Mapping[str, Any]) -> RequestLine:
    return checked(RequestLine, line)


def results_to_json(results: Results, measurements: Sequence[Measurement]) -> dict[str, Any]:
    """The document of scores.json; each score names the aggregate of its statistics."""
    aggregates = {measurement.name: measurement.aggregate for measurement in measurements}
    scores: dict[str, dict[str, Any]] = {}
    for score in results.scores:
        document = asdict(score) | {"signature": str(score.signature)}
        del document["name"]
        scores[score.name] = document | {"aggregate": aggregates[score.name], "computed": True}
    for missing in results.not_computed:
        scores[missing.name] = {"reason": missing.reason, "computed": False}
    return {
        "images": results.images,
        "captioned": results.captioned,
        "outcomes": {str(outcome): count for outcome, count in results.outcomes.items()},
        "images_per_second": results.images_per_second,
        "cost_usd": results.cost_usd,
        "confidence": results.confidence,
        "scores": scores,
        "style": asdict(results.style) if results.style else None,
        "fingerprint": results.fingerprint,
    }


def results_from_json(document: Mapping[str, Any]) -> Results:
    scores = document["scores"]
    return Results(
        images=document["images"],
        outcomes={Outcome(name): count for name, count in document["outcomes"].items()},
        scores=tuple(_score(name, entry) for name, entry in scores.items() if entry["computed"]),
        not_computed=tuple(
            NotComputed(name, entry["reason"]) for name, entry in scores.items() if not entry["computed"]
        ),
        confidence=document["confidence"],
        images_per_second=document["images_per_second"],
        cost_usd=document["cost_usd"],
        style=checked(Style, document["style"]) if document["style"] else None,
        fingerprint=document["fingerprint"],
    )


def _score(name: str, entry: Mapping[str, Any]) -> Score:
    numbers = {key: entry[key] for key in ("value", "low", "high", "higher_is_better", "images")}
    if not all(isinstance(number, bool | int | float) for number in numbers.values()):
        raise ValueError(f"scores.{name} holds something else than numbers")
    return Score(name, signature=Signature(entry["signature"]), **numbers)
