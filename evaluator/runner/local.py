"""The batch loop of local models: threads read pictures, and the model captions them in batches.

    items -> prepare (worker threads, ahead of the model) -> batches -> caption

A picture that cannot be read becomes its image's outcome and is not part of a batch. If a batch does not fit
into memory, its size is halved, also for all later batches.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

from evaluator.core import Caption, Item, Outcome, Reply, Session, Source
from evaluator.core.chat import only_the_answer
from evaluator.core.errors import CaptionError, EvaluatorError, OutOfMemory
from evaluator.runner.preparation import prepared_or_error

logger = logging.getLogger(__name__)


def caption_in_batches(
    session: Session, items: Iterable[Item], batch_size: int, pool: ThreadPoolExecutor
) -> Iterator[Caption]:
    """Captions batch by batch; in each batch, the pictures that cannot be read come first."""
    pictures = prepare_ahead(session, items, 2 * batch_size, pool)
    while batch := list(islice(pictures, batch_size)):
        readable = [(item, prepared) for item, prepared in batch if not isinstance(prepared, EvaluatorError)]
        try:
            captions = caption_batch(session, readable) if readable else []
        except OutOfMemory as error:
            if batch_size > 1:
                batch_size = max(1, len(batch) // 2)
                logger.warning("%s: continuing with batches of %d", error, batch_size)
                pictures = chain(batch, pictures)
                continue
            captions = [caption_from(item, error) for item, _ in readable]
        yield from (caption_from(item, error) for item, error in batch if isinstance(error, EvaluatorError))
        yield from captions


def prepare_ahead(
    session: Session, items: Iterable[Item], ahead: int, pool: ThreadPoolExecutor
) -> Iterator[tuple[Item, Any]]:
    """Each item with what `prepare` returned, or the error it raised; at most `ahead` are in memory."""
    started = ((item, pool.submit(prepared_or_error, session.prepare, item)) for item in items)
    waiting = deque(islice(started, ahead))
    while waiting:
        item, prepared = waiting.popleft()
        yield item, prepared.result()
        waiting.extend(islice(started, 1))


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


def caption_from(item: Item, result: Reply | EvaluatorError, **details: Any) -> Caption:
    """OK for a reply, the outcome of a CaptionError, else ERROR; `details` are more fields of Caption.

    A reply with reasoning or chat markers around its answer loses them.
    """
    if isinstance(result, Reply):
        return only_the_answer(Caption(item.id, Outcome.OK, result, **details))
    if isinstance(result, CaptionError):
        return Caption(item.id, result.outcome, result.reply, str(result), **details)
    return Caption(item.id, Outcome.ERROR, error=str(result), **details)
