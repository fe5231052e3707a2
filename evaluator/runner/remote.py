"""Captioning by a remote model: one request per image, many at the same time.

The loop runs in this thread, or in a thread of its own where this one already runs a loop, as in a notebook.
Whatever ends a run early (Ctrl-C, an exhausted quota, a bad key), the answers of the requests in flight are
awaited and recorded first.
"""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

from evaluator.core import Caption, Closing, Item, RemoteSession
from evaluator.core.errors import CaptionError, ImageError
from evaluator.runner.asking import Asker, Question, RequestPolicy, question_about
from evaluator.runner.request_options import ModelLimits, Requests
from evaluator.runner.scheduler import RequestScheduler

__all__ = ["ModelLimits", "RequestPolicy", "Requests", "caption_remotely"]


def caption_remotely(
    session: RemoteSession,
    items: Iterable[Item],
    record: Callable[[Caption], None],
    requests: Requests,
    policy: RequestPolicy,
    pool: ThreadPoolExecutor,
) -> None:
    """Caption every item; each caption is recorded as soon as it exists.

    Raises ModelError if no further request can succeed and KeyboardInterrupt after Ctrl-C, both after the
    answers of the requests in flight have been recorded.
    """

    def prepare(item: Item) -> Question | ImageError | CaptionError:
        return question_about(session, item)

    scheduler = RequestScheduler(requests.in_flight, prepare, record, pool)
    loop = asyncio.new_event_loop()

    async def run() -> None:
        try:
            await scheduler.run(iter(items), Asker(session, requests, policy, scheduler).caption)
        finally:
            if isinstance(session, Closing):
                await session.close()

    def run_in_loop() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(run())

    def stop() -> None:
        with suppress(RuntimeError):  # the loop has just been closed
            loop.call_soon_threadsafe(scheduler.stop, KeyboardInterrupt())

    with on_interrupt(stop):
        if is_in_event_loop():
            with ThreadPoolExecutor(1, "requests") as thread:
                thread.submit(run_in_loop).result()
        else:
            run_in_loop()


def is_in_event_loop() -> bool:
    """Whether the current thread runs an event loop, as a notebook's does."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@contextmanager
def on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Ctrl-C calls `stop`. Only the main thread receives Ctrl-C; a process may also ignore it."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, lambda *_: stop())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
