"""The batch loop of local models: decoding in threads, captioning in batches, one caption recorded at a time.

    items -> prepare (worker threads, ahead of the model) -> batches -> caption -> record

A picture that cannot be read becomes its image's outcome and takes no place in a batch. A batch that
does not fit into memory is halved, and so are those after it.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Any

from evaluator.core import SUPPLIED, Caption, Item, Outcome, Reply, Session
from evaluator.core.errors import CaptionError, EvaluatorError, ImageError, OutOfMemory

logger = logging.getLogger(__name__)


def caption_in_batches(
    session: Session,
    items: Iterable[Item],
    record: Callable[[Caption], None],
    batch_size: int,
    pool: ThreadPoolExecutor,
) -> None:
    """Caption every item once; each is recorded before the next batch begins."""
    for caption in caption_all(session, items, batch_size, pool):
        record(caption)


def caption_all(
    session: Session, items: Iterable[Item], batch_size: int, pool: ThreadPoolExecutor
) -> Iterator[Caption]:
    """Captions in the items' order within a batch; pictures that cannot be read come as they are met."""
    pictures = prepare_ahead(session, items, 2 * batch_size, pool)
    while batch := list(islice(pictures, batch_size)):
        readable = [(item, prepared) for item, prepared in batch if not isinstance(prepared, EvaluatorError)]
        try:
            captions = caption_batch(session, readable)
        except OutOfMemory as error:
            if batch_size > 1:
                batch_size = max(1, len(batch) // 2)
                logger.warning("%s: going on with batches of %d", error, batch_size)
                pictures = chain(batch, pictures)
                continue
            captions = [Caption(item.id, Outcome.ERROR, error=str(error)) for item, _ in readable]
        yield from (
            failed(item, prepared) for item, prepared in batch if isinstance(prepared, EvaluatorError)
        )
        yield from captions


def prepare_ahead(
    session: Session, items: Iterable[Item], ahead: int, pool: ThreadPoolExecutor
) -> Iterator[tuple[Item, Any]]:
    """Each item with what `prepare` made of it or the error it raised; at most `ahead` wait in memory."""

    def prepare(item: Item) -> Any:
        try:
            return session.prepare(item)
        except (ImageError, CaptionError) as error:
            return error

    waiting: deque[tuple[Item, Future[Any]]] = deque()
    for item in items:
        waiting.append((item, pool.submit(prepare, item)))
        if len(waiting) >= ahead:
            item_ready, future = waiting.popleft()
            yield item_ready, future.result()
    for item_ready, future in waiting:
        yield item_ready, future.result()


def caption_batch(session: Session, batch: Sequence[tuple[Item, Any]]) -> list[Caption]:
    """One call of the model; its time is shared out evenly over the batch."""
    if not batch:
        return []
    start = time.monotonic()
    replies = session.caption([prepared for _, prepared in batch])
    seconds = (time.monotonic() - start) / len(batch)
    return [
        succeeded(item, reply, seconds) if isinstance(reply, Reply) else failed(item, reply, seconds)
        for (item, _), reply in zip(batch, replies, strict=True)
    ]


def succeeded(item: Item, reply: Reply, seconds: float) -> Caption:
    """The caption that a reply is."""
    if reply.finish_reason == SUPPLIED:
        return Caption(item.id, Outcome.OK, reply, cached=True)
    return Caption(item.id, Outcome.OK, reply, seconds=round(seconds, 6))


def failed(item: Item, error: EvaluatorError, seconds: float = 0.0) -> Caption:
    """The outcome that an error means."""
    outcome, reply = Outcome.ERROR, None
    if isinstance(error, CaptionError):
        outcome, reply = error.outcome, error.reply
    return Caption(item.id, outcome, reply, error=str(error), seconds=round(seconds, 6))
