"""Captioning by a remote model: one request per image, many at the same time.

    prepared picture -> cache -> attempts: budget -> limits -> request -> cache -> record

An answer is put into the cache, returned and recorded without an `await` in between. So only a kill can come
between these steps, and then the next run takes the answer from the cache. Whatever else ends a run early
(Ctrl-C, an exhausted quota, a bad key), the answers of the requests in flight are recorded first.
"""

from __future__ import annotations

import asyncio
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, NamedTuple

from evaluator.core import Caption, Closing, Item, Outcome, RemoteSession, Reply
from evaluator.core.errors import CaptionError, ImageError, ModelError, RetryableError
from evaluator.runner.answer_cache import ResponseCache, key_of
from evaluator.runner.budget import Budget, BudgetUsedUp
from evaluator.runner.limits import Limits, backoff_seconds
from evaluator.runner.local import caption_from
from evaluator.runner.preparation import prepared_or_error
from evaluator.runner.request_options import RequestPolicy, Requests
from evaluator.runner.scheduler import RequestScheduler

# Stop the run after this many images without an answer, if the server has never answered: it is probably
# down, or the address is wrong.
UNANSWERED_IMAGES = 10

Result = Reply | CaptionError | RetryableError


class Question(NamedTuple):
    """What a session prepared for one item, the key of its answer in the cache, and the model."""

    prepared: Any
    key: str
    model: str


Prepared = Question | ImageError | CaptionError


def question_about(session: RemoteSession, item: Item) -> Prepared:
    """The question about an item, or the reason why there is none. Runs in threads."""

    def ask_about(item: Item) -> Question:
        prepared = session.prepare(item)
        content = session.cache_key(prepared)
        return Question(prepared, key_of(content), str(content.get("model", "")))

    return prepared_or_error(ask_about, item)


class RemoteRun:
    """The requests of one run, within one event loop."""

    def __init__(
        self,
        session: RemoteSession,
        requests: Requests,
        policy: RequestPolicy,
        cache: ResponseCache | None,
        record: Callable[[Caption], None],
        pool: ThreadPoolExecutor,
    ) -> None:
        self._session, self._requests, self._policy, self._cache = session, requests, policy, cache
        self._scheduler = RequestScheduler(requests.in_flight, partial(question_about, session), record, pool)
        self._limits = Limits(requests.in_flight, requests.per_minute, requests.tokens_per_minute)
        if usage := policy.usage:
            self._limits.tokens_each = float(usage.input_tokens[1] + usage.output_tokens[1])
        self._budget = Budget(policy.budget_usd, policy.spent_usd)
        self._most_usd = policy.most_usd
        self._pending: dict[str, asyncio.Event] = {}
        self._jitter = Random(0)
        self._server_has_answered = False
        self._unanswered_images = 0

    def caption_all(self, items: Iterable[Item]) -> None:
        """Caption every item; each caption is recorded as soon as it exists.

        Raises ModelError if no further request can succeed and KeyboardInterrupt after Ctrl-C, both after the
        answers of the requests in flight have been recorded.
        """
        loop = asyncio.new_event_loop()

        async def run() -> None:
            try:
                await self._scheduler.run(iter(items), self._caption)
            finally:
                if isinstance(self._session, Closing):
                    await self._session.close()

        def run_in_loop() -> None:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(run())

        def stop() -> None:
            with suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(self._scheduler.stop, KeyboardInterrupt())

        in_notebook = False
        with suppress(RuntimeError):  # no loop runs in this thread, as it does in a notebook
            in_notebook = asyncio.get_running_loop().is_running()
        with on_interrupt(stop):
            if in_notebook:
                with ThreadPoolExecutor(1, "requests") as thread:
                    thread.submit(run_in_loop).result()
            else:
                run_in_loop()

    async def _caption(self, item: Item, question: Prepared) -> Caption | None:
        """One item's outcome; None where the run stopped before there was one.

        Of two equal questions at the same time, only one is sent.
        """
        if not isinstance(question, Question):
            return caption_from(item, question)
        cache, key = self._cache, question.key
        if cache and self._policy.read_cache:
            while other := self._pending.get(key):
                await other.wait()
            if answer := cache.get(key):
                return replace(answer, item_id=item.id)
        answered = self._pending[key] = asyncio.Event()
        try:
            caption = await self._ask(item, question)
            if cache and caption and not caption.outcome.can_be_retried:
                cache.put(key, question.model, caption)
            return caption
        finally:
            answered.set()
            self._pending.pop(key, None)

    async def _ask(self, item: Item, question: Question) -> Caption | None:
        """Send requests until there is an answer, within the limits of attempts and time.

        The time counts requests and waits before the next attempt, not the time spent in the queue.
        """
        attempt, seconds, deadline = 0, 0.0, self._requests.deadline_seconds
        limited = 0  # the attempts whose failure may not happen often, since each was billed
        while True:
            try:
                result, took, cost_usd = await self._attempt(question, deadline - seconds)
            except BudgetUsedUp:
                return Caption(item.id, Outcome.SKIPPED, error="the budget is used up", attempts=attempt)
            attempt += 1
            if not isinstance(result, RetryableError):
                details = {"seconds": round(took, 6), "attempts": attempt, "cost_usd": cost_usd}
                return caption_from(item, result, **details, answered_at=round(time.time(), 6))
            seconds += took
            wait = max(result.retry_after_seconds or 0.0, backoff_seconds(attempt, self._jitter))
            if result.affects_all_requests:
                self._hold_all(result, wait)
            limited += result.most_attempts is not None
            asked_enough = limited == result.most_attempts or attempt == self._requests.attempts
            if asked_enough or seconds + wait >= deadline:
                return self._give_up(item, result, attempt, seconds)
            if self._scheduler.stopping.is_set():
                return None
            seconds += wait
            await self._scheduler.pause(wait)

    async def _attempt(self, question: Question, limit_seconds: float) -> tuple[Result, float, float | None]:
        """One request within budget and limits. Raises BudgetUsedUp and ModelError.

        Returns what came of it, the seconds it took, and its cost if that is known.
        """
        await self._budget.reserve(self._most_usd)
        spent_usd = 0.0
        try:
            entered = await self._limits.enter()
            started = time.monotonic()
            result: Result | None = None
            with self._scheduler.sending():
                try:
                    result = await self._send(question, min(self._requests.attempt_seconds, limit_seconds))
                except ModelError as error:
                    self._scheduler.stop(error)  # before another worker takes the free slot
                    raise
                finally:
                    refused = isinstance(result, RetryableError) and result.affects_all_requests
                    self._server_has_answered |= refused or isinstance(result, Reply | CaptionError)
                    # An answer without a caption takes tokens, too.
                    reply = result if isinstance(result, Reply) else getattr(result, "reply", None)
                    self._limits.leave(entered, refused, reply)
            seconds = time.monotonic() - started
            cost_usd = self._policy.cost_usd(question.model, reply) if reply else None
            if cost_usd is not None:
                spent_usd = cost_usd
            elif not refused:  # a request without an answer may have cost the most
                spent_usd = self._most_usd
            return result, seconds, cost_usd
        finally:
            self._budget.settle(self._most_usd, spent_usd)

    async def _send(self, question: Question, limit_seconds: float) -> Result:
        """The session's reply, or its error where that concerns this request only."""
        try:
            async with asyncio.timeout(limit_seconds):
                return await self._session.ask(question.prepared)
        except (CaptionError, RetryableError) as error:
            return error
        except TimeoutError:
            return RetryableError(f"no answer within {limit_seconds:.0f} s", "timeout")

    def _give_up(self, item: Item, error: RetryableError, attempts: int, seconds: float) -> Caption:
        """The outcome of an image without an answer. Raises ModelError if the server has never answered."""
        message = f"{error.kind} ({attempts} attempts): {error}"
        self._unanswered_images += 1
        if not self._server_has_answered and self._unanswered_images >= UNANSWERED_IMAGES:
            raise ModelError(
                f"{message}. The server has not answered any request: is the server running, and its address "
                "right? Run the same command again to continue"
            )
        took = round(seconds, 6)
        return Caption(item.id, Outcome.ERROR, error.reply, message, seconds=took, attempts=attempts)

    def _hold_all(self, refusal: RetryableError, wait: float) -> None:
        """Let all requests wait. Raises ModelError if the provider asks for too long a wait."""
        seconds = wait if refusal.retry_after_seconds is None else refusal.retry_after_seconds
        if seconds >= self._requests.deadline_seconds:
            raise ModelError(
                f"{refusal}. The provider says to wait {seconds:.0f} s, which is longer than "
                "runner.requests.deadline_seconds. Run the same command again after that time to continue"
            )
        self._limits.hold(seconds)


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
