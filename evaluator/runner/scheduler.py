"""Workers that send many requests at once, read pictures ahead of them, and stop without losing an answer.

    items -> prepare (threads) -> queue -> workers

There are as many workers as requests may be in flight. While a worker waits before another attempt, an extra
worker stands in for it. So memory does not grow with the data set: there is never one task per image.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from typing import Any, Generic, TypeVar

from evaluator.core import Item

logger = logging.getLogger(__name__)

Prepared = TypeVar("Prepared")
# An item, what `prepare` returns for a batch of items, and the item's position in that batch.
Entry = tuple[Item, asyncio.Future[list[Prepared]], int]

AHEAD_SHARE = 0.5  # as a share of the requests in flight: the pictures read ahead, and the extra workers
# As a share of these pictures: how many a thread reads at once, since handing them over one by one costs more
# CPU time than everything else in this folder does for a request.
BATCH_SHARE = 0.2
STOP_SECONDS = 30.0  # how long a run that stops waits for the answers of the requests in flight


class RequestScheduler(Generic[Prepared]):
    """Takes items through `prepare` in threads, and then through `handle`, within one event loop."""

    def __init__(self, in_flight: int, prepare: Callable[[Item], Prepared], pool: ThreadPoolExecutor) -> None:
        self._in_flight, self._prepare, self._pool = in_flight, prepare, pool
        self._ahead = max(1, int(in_flight * AHEAD_SHARE))
        self._batch_size = max(1, int(self._ahead * BATCH_SHARE))
        self._queue: asyncio.Queue[Entry[Prepared] | None] = asyncio.Queue(self._ahead)
        self._workers: set[asyncio.Task[None]] = set()
        self._active_workers = 0  # all but those that wait before another attempt
        self._sending: set[asyncio.Task[Any] | None] = set()
        self._stop_reason: BaseException | None = None
        self.stopping = asyncio.Event()

    async def run(self, items: Iterator[Item], handle: Callable[[Item, Prepared], Awaitable[None]]) -> None:
        """Handle all items, or as many as possible before something stops the run; then raise that."""
        self._handle = handle
        self._start(self._read_ahead(items))
        for _ in range(self._in_flight):
            self._start(self._work())
        idle = asyncio.create_task(self._until_idle())
        stopping = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait((idle, stopping), return_when=asyncio.FIRST_COMPLETED)
            if in_flight := self._workers & self._sending:  # their answers will be billed
                text = "stopping: waiting up to %.0f s for %d requests in flight; Ctrl-C abandons them"
                logger.warning(text, STOP_SECONDS, len(in_flight))
                await asyncio.wait(in_flight, timeout=STOP_SECONDS)
            self._cancel(self._workers)
            await idle
        finally:
            stopping.cancel()
            self._cancel(self._workers)
        if self._stop_reason:
            raise self._stop_reason

    def stop(self, reason: BaseException) -> None:
        """Send no further request. A second KeyboardInterrupt abandons the requests in flight, too."""
        if self._stop_reason is None:
            self._stop_reason = reason
            self.stopping.set()
            self._cancel(self._workers - self._sending)
        elif isinstance(reason, KeyboardInterrupt):
            self._cancel(self._workers)

    @contextmanager
    def sending(self) -> Iterator[None]:
        """Marks the current worker's request as in flight: a run that stops waits for its answer."""
        worker = asyncio.current_task()
        self._sending.add(worker)
        try:
            yield
        finally:
            self._sending.discard(worker)

    async def pause(self, seconds: float) -> None:
        """Wait before another attempt, while an extra worker stands in for the current one."""
        self._active_workers -= 1
        if len(self._workers) < self._in_flight + self._ahead:
            self._start(self._work())
        try:
            await asyncio.sleep(seconds)
        finally:
            self._active_workers += 1

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        worker = asyncio.create_task(work)
        self._workers.add(worker)
        worker.add_done_callback(self._workers.discard)

    @staticmethod
    def _cancel(workers: set[asyncio.Task[None]]) -> None:
        for worker in workers:
            worker.cancel()

    async def _until_idle(self) -> None:
        while self._workers:
            await asyncio.wait(self._workers)

    async def _read_ahead(self, items: Iterator[Item]) -> None:
        """Prepare some pictures before a worker needs them; None marks the end of the queue.

        A worker that need not wait for a picture continues without a switch to other tasks. So its connection
        is never idle, which matters because an SDK's pool looks at each idle connection before each request.
        """
        try:
            loop = asyncio.get_running_loop()
            while batch := list(islice(items, self._batch_size)):
                # `list` runs in a thread, and there it takes each item through `prepare`.
                prepared = loop.run_in_executor(self._pool, list, map(self._prepare, batch))
                for position, item in enumerate(batch):
                    await self._queue.put((item, prepared, position))
            await self._queue.put(None)
        except Exception as error:
            self.stop(error)

    async def _work(self) -> None:
        """Handle items until none is left, the run stops, or there are too many workers."""
        self._active_workers += 1
        try:
            while (entry := await self._queue.get()) is not None:
                item, prepared, position = entry
                await self._handle(item, (await prepared)[position])
                if self.stopping.is_set() or self._active_workers > self._in_flight:
                    return
            await self._queue.put(None)  # for the next worker
        except Exception as error:
            self.stop(error)
        finally:
            self._active_workers -= 1
