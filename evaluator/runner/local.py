"""The batch loop of local models: threads read pictures, and the model captions them in batches.

    items -> prepare (worker threads, ahead of the model) -> batches -> caption -> record

A picture that cannot be read becomes its image's outcome and is not part of a batch. If a batch does not fit
into memory, its size is halved, also for all later batches.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import chain, islice
from typing import Any, Protocol, runtime_checkable

from evaluator.core import Caption, Item, Outcome, Session, Source
from evaluator.core.errors import CaptionError, EvaluatorError, ImageError, OutOfMemory
from evaluator.runner.outcomes import caption_from

logger = logging.getLogger(__name__)


@runtime_checkable
class HasSource(Protocol):
    """A Session that does not ask a model: it says where its captions come from."""

    @property
    def source(self) -> Source: ...


def caption_in_batches(
    session: Session,
    items: Iterable[Item],
    record: Callable[[Caption], None],
    batch_size: int,
    pool: ThreadPoolExecutor,
) -> None:
    """Caption every item once; the captions of a batch are recorded before the next batch begins."""
    for caption in caption_all(session, items, batch_size, pool):
        record(caption)


def caption_all(
    session: Session, items: Iterable[Item], batch_size: int, pool: ThreadPoolExecutor
) -> Iterator[Caption]:
    """Captions batch by batch; in each batch, the pictures that cannot be read come first."""
    pictures = prepare_ahead(session, items, 2 * batch_size, pool)
    while batch := list(islice(pictures, batch_size)):
        readable = [(item, prepared) for item, prepared in batch if not isinstance(prepared, EvaluatorError)]
        try:
            captions = caption_batch(session, readable)
        except OutOfMemory as error:
            if batch_size > 1:
                batch_size = max(1, len(batch) // 2)
                logger.warning("%s: continuing with batches of %d", error, batch_size)
                pictures = chain(batch, pictures)
                continue
            captions = [Caption(item.id, Outcome.ERROR, error=str(error)) for item, _ in readable]
        yield from (
            caption_from(item, prepared) for item, prepared in batch if isinstance(prepared, EvaluatorError)
        )
        yield from captions


def prepare_ahead(
    session: Session, items: Iterable[Item], ahead: int, pool: ThreadPoolExecutor
) -> Iterator[tuple[Item, Any]]:
    """Each item with what `prepare` returned, or the error it raised; at most `ahead` are in memory."""

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
    """One call of the model; the images of a batch share its time evenly. A captions file takes no time."""
    if not batch:
        return []
    source: Source = session.source if isinstance(session, HasSource) else "model"
    start = time.monotonic()
    results = session.caption([prepared for _, prepared in batch])
    seconds = round((time.monotonic() - start) / len(batch), 6) if source == "model" else 0.0
    return [
        caption_from(item, result, seconds=seconds, source=source)
        for (item, _), result in zip(batch, results, strict=True)
    ]
