"""The batch loop of local models: workers prepare pictures ahead, and the model captions them in batches.

    items -> prepare (workers, ahead of the model) -> batches of one shape -> caption

A picture that cannot be read becomes its image's outcome and is not part of a batch. If a batch does not fit
into memory, its size is halved, also for all later batches (batch_size.py). If a library fails over a batch,
each of its pictures is tried alone.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any, Literal, NamedTuple

from evaluator.core import Caption, HasShapes, Item, Outcome, Reply, Session, Source
from evaluator.core.chat import only_the_answer
from evaluator.core.errors import CaptionError, EvaluatorError, ModelError, OutOfMemory
from evaluator.runner.batch_size import BatchSize, Size, batch_size
from evaluator.runner.picture_workers import Kind, kind_for, number_for, picture_workers
from evaluator.runner.preparation import described, prepare_ahead, prepared_or_error

logger = logging.getLogger(__name__)

WINDOW = 2  # batches of prepared pictures among which those of one shape are looked for

Pictures = list[tuple[Item, Any]]  # prepared


@dataclass(frozen=True)
class Batches:
    """How large they are, at most `most`, and what prepares their pictures."""

    size: Size
    workers: int | Literal["auto"]
    kind: Kind | Literal["auto"]
    most: int = sys.maxsize

    def size_for(self, session: Session) -> BatchSize:
        return batch_size(session, self.size, self.most)

    def captions(self, session: Session, items: Iterable[Item], size: BatchSize) -> Generator[list[Caption]]:
        """The captions of all items, batch by batch; the workers end with the generator."""
        kind = kind_for(session, self.kind)
        number = number_for(session, self.workers, kind)
        logger.info("pictures are prepared ahead by %s: runner.decode_workers=%d", kind, number)
        prepare = partial(prepared_or_error, session.prepare)
        with picture_workers(prepare, number, kind) as workers:
            pictures = prepare_ahead(workers, items, lambda: 2 * size.now)
            yield from BatchLoop(session, size).captions(pictures)


@dataclass(frozen=True)
class BatchLoop:
    """An open model, and how many pictures it captions at once: fewer, once so many were too many."""

    session: Session
    size: BatchSize

    def captions(self, pictures: Iterator[tuple[Item, Any]]) -> Iterator[list[Caption]]:
        """The captions of each batch; before it, what became of the pictures that cannot be read."""
        shape_of = self.session.shape_of if isinstance(self.session, HasShapes) else lambda _: None
        others: Pictures = []
        while True:
            batch, others, unreadable = next_batch(others, pictures, shape_of, self.size.now)
            if unreadable:
                yield [caption_from(item, error) for item, error in unreadable]
            if not batch:
                return
            try:
                captions = caption_batch(self.session, batch)
            except OutOfMemory as error:
                if self.size.now > 1:
                    self.size.failed(len(batch))
                    logger.warning("%s: continuing with batches of %d", error, self.size.now)
                    others = batch + others
                    continue
                captions = [caption_from(item, error) for item, _ in batch]
            except Exception as error:
                if concerns_all(error):
                    raise
                captions = [caption_alone(self.session, item, prepared) for item, prepared in batch]
            else:
                self.size.fitted(len(batch))
            yield captions


class Batch(NamedTuple):
    """Pictures of one shape, the pictures before and between them, and those that cannot be read."""

    pictures: Pictures
    others: Pictures
    unreadable: Pictures


def next_batch(
    others: Pictures,
    pictures: Iterator[tuple[Item, Any]],
    shape_of: Callable[[Any], Hashable],
    size: int,
) -> Batch:
    """The oldest picture with later ones of its shape, at most `size`; `others` are older than `pictures`."""
    batch, left = Batch([], [], []), iter(others)
    for item, prepared in chain(left, pictures):
        if isinstance(prepared, EvaluatorError):
            batch.unreadable.append((item, prepared))
        elif not batch.pictures or shape_of(prepared) == shape_of(batch.pictures[0][1]):
            batch.pictures.append((item, prepared))
        else:
            batch.others.append((item, prepared))
        if len(batch.pictures) == size or len(batch.pictures) + len(batch.others) == WINDOW * size:
            break
    batch.others.extend(left)
    return batch


def caption_batch(session: Session, batch: Sequence[tuple[Item, Any]]) -> list[Caption]:
    """One call of the model; the images of a batch share its time evenly. A captions file takes no time."""
    source: Source = getattr(session, "source", "model")  # a session that asks no model has this attribute
    start = time.monotonic()
    results = session.caption([prepared for _, prepared in batch])
    seconds = round((time.monotonic() - start) / len(batch), 6) if source == "model" else 0.0
    return [
        caption_from(item, result, seconds=seconds, source=source)
        for (item, _), result in zip(batch, results, strict=True)
    ]


def caption_alone(session: Session, item: Item, prepared: Any) -> Caption:
    """The caption of one picture by itself: what a library raises over it is its outcome."""
    try:
        return caption_batch(session, [(item, prepared)])[0]
    except OutOfMemory as error:
        return caption_from(item, error)
    except Exception as error:
        if concerns_all(error):
            raise
        logger.debug("%s", item.id, exc_info=True)
        return caption_from(item, ModelError(f"the model failed: {described(error)}"))


def concerns_all(error: Exception) -> bool:
    """Whether no other picture could be captioned either: a process can do nothing after a GPU's error."""
    return isinstance(error, EvaluatorError) or "CUDA error" in str(error)


def caption_from(item: Item, result: Reply | EvaluatorError, **details: Any) -> Caption:
    """OK for a reply, the outcome of a CaptionError, else ERROR; `details` are more fields of Caption.

    A reply with reasoning or chat markers around its answer loses them.
    """
    if isinstance(result, Reply):
        return only_the_answer(Caption(item.id, Outcome.OK, result, **details))
    if isinstance(result, CaptionError):
        return Caption(item.id, result.outcome, result.reply, str(result), **details)
    return Caption(item.id, Outcome.ERROR, error=str(result), **details)
