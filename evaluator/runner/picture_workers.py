"""The threads or processes that prepare pictures while the model computes.

Threads are enough where preparing is little work. But a model of many small steps holds Python's lock for
most of the time, and so does a preparation between its long computations: in one process they wait for each
other. So the pictures of a session that says `prepares_apart` are prepared by processes, where the system can
fork: these begin at once and have the session as it is in memory.
"""

from __future__ import annotations

import gc
import io
import logging
import multiprocessing
import os
import pickle
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import Any, Literal

from evaluator.core import Item, PreparesApart, Session
from evaluator.core.cpus import allowed_cpus
from evaluator.core.errors import ImageError

Kind = Literal["threads", "processes"]
Prepare = Callable[[Item], Any]  # returns an error of one image and raises no such error

logger = logging.getLogger(__name__)

THREADS = 2  # more would only wait for each other
MOST_PROCESSES = 16
MOST_PER_CHUNK = 16
TOKENIZER_THREADS = "TOKENIZERS_PARALLELISM"
# Apple's libraries do not survive a fork, and Windows has none.
CAN_FORK = sys.platform == "linux"


def kind_for(session: Session, kind: Kind | Literal["auto"]) -> Kind:
    """What `auto` means for this session on this system."""
    if kind != "auto":
        return kind
    is_apart = isinstance(session, PreparesApart) and session.prepares_apart
    return "processes" if is_apart and CAN_FORK else "threads"


def number_for(session: Session, number: int | Literal["auto"], kind: Kind) -> int:
    """`auto` is two threads, or a process for each CPU that the model leaves free."""
    if number != "auto":
        return number
    if kind == "threads":
        return THREADS
    used = session.cpu_threads if isinstance(session, PreparesApart) else 1
    return min(max(1, round(allowed_cpus()) - used), MOST_PROCESSES)


class PictureWorkers:
    """So many threads or processes, which prepare chunks of items."""

    def __init__(self, prepare: Prepare, number: int, kind: Kind) -> None:
        self.number, self.kind = number, kind
        self._prepare = prepare
        self._pool = self._new_pool(number)

    def chunk_size(self, ahead: int) -> int:
        """How many items go to a worker at once: sending pictures between processes costs time each time."""
        if self.kind == "threads":
            return 1
        return max(1, min(MOST_PER_CHUNK, ahead // (4 * self.number)))

    def start(self, items: Sequence[Item]) -> Callable[[], list[Any]]:
        """Begin to prepare these items; what is returned waits for the results."""
        pool = self._pool
        future = self._submitted(pool, items)

        def result() -> list[Any]:
            with suppress(BrokenProcessPool):
                if future:
                    return received(future.result())
            # The pool's other chunks are lost as well, and come here one after the other.
            if pool is self._pool:
                logger.warning("a process that prepares pictures was killed; its pictures are read again")
                self._pool = self._new_pool(self.number)
            return self._one_by_one(items)

        return result

    def _submitted(self, pool: Executor, items: Sequence[Item]) -> Future[list[Any] | bytes] | None:
        """None where a process of the pool was killed already."""
        try:
            if self.kind == "threads":
                return pool.submit(lambda: [self._prepare(item) for item in items])
            with quiet_fork():
                return pool.submit(_prepared, items)
        except BrokenProcessPool:
            return None

    def _one_by_one(self, items: Sequence[Item]) -> list[Any]:
        """Each item in a process that has nothing else to do: if it is killed, this picture is the reason."""
        found = []
        for item in items:
            with self._new_pool(1) as alone:
                future = self._submitted(alone, [item])
                try:
                    found += received(future.result()) if future else []
                except BrokenProcessPool:
                    found.append(ImageError(f"{item.image}: preparing the picture killed its process"))
        return found

    def _new_pool(self, number: int) -> Executor:
        if self.kind == "threads":
            return ThreadPoolExecutor(number, "decode")
        context = multiprocessing.get_context("fork")
        return ProcessPoolExecutor(number, context, initializer=_begin, initargs=(self._prepare,))

    def close(self) -> None:
        self._pool.shutdown(wait=self.kind == "processes", cancel_futures=True)


@contextmanager
def quiet_fork() -> Iterator[None]:
    """Nothing is printed where a process is forked beside threads: the new one uses none of theirs.

    The tokenizers' library, which processors of chat models call, would print so unless its threads are off.
    """
    chosen = os.environ.get(TOKENIZER_THREADS)
    os.environ.setdefault(TOKENIZER_THREADS, "false")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            yield
    finally:
        if chosen is None:
            del os.environ[TOKENIZER_THREADS]


@contextmanager
def picture_workers(prepare: Prepare, number: int, kind: Kind) -> Iterator[PictureWorkers]:
    """Workers that end with the block."""
    workers = PictureWorkers(prepare, number, kind)
    try:
        yield workers
    finally:
        workers.close()


# In a process that prepares pictures.

_prepare: Prepare | None = None


def _begin(prepare: Prepare) -> None:
    """What a process does first. Ctrl-C is for the process that it works for."""
    global _prepare
    _prepare = prepare
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # a collection would copy every page that it shares with the other process
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)  # its threads were not forked: waiting for one would never end
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End when the process that this one works for was killed: nobody else would end it."""
    if parent := multiprocessing.parent_process():
        parent.join()
        os._exit(1)


def _prepared(items: Sequence[Item]) -> bytes:
    """The prepared pictures as they are sent."""
    assert _prepare is not None
    buffer = io.BytesIO()
    Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump([_prepare(item) for item in items])
    return buffer.getvalue()


class Pickler(pickle.Pickler):
    """Sends tensors as arrays, which is several times as fast as their own way."""

    def reducer_override(self, value: Any) -> Any:
        torch = sys.modules.get("torch")
        if torch and type(value) is torch.Tensor and value.dtype is not torch.bfloat16:
            return torch.from_numpy, (value.numpy(),)
        return NotImplemented


def received(prepared: list[Any] | bytes) -> list[Any]:
    """What a thread or a process has prepared. Processes of this run alone write these bytes."""
    found: list[Any] = pickle.loads(prepared) if isinstance(prepared, bytes) else prepared
    return found
