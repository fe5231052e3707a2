"""Captioning by a remote model: one request per image, many at the same time.

    prepared picture -> cache -> attempts: budget -> limits -> request book -> request -> record -> cache

Each request is written down before it is sent. An answer is recorded without an `await` in between, and only
then put into the cache. So only a kill can come between an answer and its record, and the request book then
says what it can have cost. Whatever else ends a run early (Ctrl-C, SIGTERM, a closed terminal, an exhausted
quota, a bad key), the answers of the requests in flight are recorded first.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from random import Random
from typing import Any, NamedTuple

from evaluator.core import Caption, Closing, Item, Outcome, RemoteSession, Reply, RequestBook
from evaluator.core.chat import only_the_answer
from evaluator.core.errors import CaptionError, EvaluatorError, ImageError, ModelError, RetryableError
from evaluator.core.secrets import caption_without_secrets, known_secrets
from evaluator.runner.answer_cache import CarefulCache, key_of
from evaluator.runner.awake_loop import AwakeLoop, run_in_loop
from evaluator.runner.budget import Budget, BudgetUsedUp
from evaluator.runner.interrupts import on_interrupt
from evaluator.runner.limits import Limits, backoff_seconds
from evaluator.runner.local import caption_from
from evaluator.runner.preparation import prepared_or_error
from evaluator.runner.prices import credible
from evaluator.runner.request_options import RequestPolicy, Requests
from evaluator.runner.scheduler import RequestScheduler

logger = logging.getLogger(__name__)

# Stop the run after this many images without an answer, if the server has never answered: it is probably
# down, or the address is wrong.
UNANSWERED_IMAGES = 10
# So long only a few requests are in flight until one brings a caption: what fails alike costs little then.
FIRST_ANSWER_SECONDS = 10.0
# A server that cannot be reached is asked this often, if it has never answered: it may be starting. If it has
# answered before, it has this long to come back.
ATTEMPTS_TO_CONNECT = 3
UNREACHABLE_SECONDS = 60.0

Result = Reply | CaptionError | RetryableError
Wait = Callable[[str, float], None]


class Question(NamedTuple):
    """What a session prepared for one item, the key of its answer in the cache, and the model."""

    prepared: Any
    key: str
    model: str


Prepared = Question | ImageError | CaptionError


class Attempt(NamedTuple):
    """One request that is over."""

    result: Result
    seconds: float
    request: int  # its number in the request book
    cost_usd: float | None  # the most that it can have cost, where that is not known; None: no price is known


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
        cache: CarefulCache,
        book: RequestBook,
        record: Callable[[Caption], None],
        pool: ThreadPoolExecutor,
        show_wait: Wait = lambda reason, seconds: None,
    ) -> None:
        self._session, self._requests, self._policy, self._cache = session, requests, policy, cache
        self._book, self._record, self._show_wait = book, record, show_wait
        self._secrets = known_secrets()
        self._scheduler = RequestScheduler(requests.in_flight, partial(question_about, session), pool)
        self._limits = Limits(
            requests.in_flight, requests.per_minute, requests.tokens_per_minute, policy.at_first
        )
        if usage := policy.usage:
            self._limits.tokens_each = float(usage.input_tokens[1] + usage.output_tokens[1])
        # An earlier command may have met an answer that was dearer than expected.
        most_usd = max(policy.most_usd, book.dearest_usd) if policy.most_usd else 0.0
        self._budget = Budget(policy.budget_usd, most_usd, policy.spent_usd)
        self._pending: dict[str, asyncio.Future[Caption | None]] = {}
        self._jitter = Random(0)
        self._server_has_answered = False
        self._unanswered_images = 0
        self._unreachable_since: float | None = None

    def caption_all(self, items: Iterable[Item]) -> None:
        """Caption every item; each caption is recorded as soon as it exists.

        Raises ModelError if no further request can succeed and KeyboardInterrupt after Ctrl-C, both after the
        answers of the requests in flight have been recorded.
        """
        self._book.reserve(self._requests.in_flight)
        loop = AwakeLoop()

        async def run() -> None:
            loop.call_later(FIRST_ANSWER_SECONDS, self._limits.open_up)
            try:
                await self._scheduler.run(iter(items), self._caption)
            finally:
                if isinstance(self._session, Closing):
                    await self._session.close()

        def stop() -> None:
            with suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(self._scheduler.stop, KeyboardInterrupt())

        with on_interrupt(stop):
            run_in_loop(loop, run)

    async def _caption(self, item: Item, question: Prepared) -> None:
        """Record one item's outcome; nothing where the run stopped before there was one.

        Of two equal questions at the same time, only one is sent.
        """
        if not isinstance(question, Question):
            return self._record(caption_from(item, question))
        key = question.key
        if self._policy.read_cache:
            while other := self._pending.get(key):
                if (answer := await asyncio.shield(other)) and not answer.outcome.can_be_retried:
                    return self._record(repeated(answer, item))
            if answer := self._cache.get(key):
                return self._record(only_the_answer(replace(answer, item_id=item.id)))
        answered = self._pending[key] = asyncio.get_running_loop().create_future()
        caption: Caption | None = None
        try:
            if asked := await self._ask(item, question):
                caption = caption_without_secrets(asked, self._secrets)
        finally:
            if self._pending.get(key) is answered:
                del self._pending[key]
            answered.set_result(caption)
        if caption is None:
            return None
        try:
            return self._record(caption)
        finally:
            if not caption.outcome.can_be_retried:
                self._cache.put(key, question.model, caption)

    async def _ask(self, item: Item, question: Question) -> Caption | None:
        """Send requests until there is an answer, within the limits of attempts and time.

        The time counts requests and waits before the next attempt, not the time spent in the queue.
        """
        attempts: list[Attempt] = []
        seconds, deadline = 0.0, self._requests.deadline_seconds
        limited = 0  # the attempts whose failure may not happen often, since each was billed
        while True:
            try:
                attempt = await self._attempt(item, question, deadline - seconds)
            except BudgetUsedUp:
                return Caption(
                    item.id, Outcome.SKIPPED, error="the budget is used up", **what_they_took(attempts)
                )
            attempts.append(attempt)
            result, number = attempt.result, len(attempts)
            if not isinstance(result, RetryableError):
                took = {"seconds": round(attempt.seconds, 6), "answered_at": round(time.time(), 6)}
                return caption_from(item, result, **took, **what_they_took(attempts))
            seconds += attempt.seconds
            wait = max(result.retry_after_seconds or 0.0, backoff_seconds(number, self._jitter))
            if result.affects_all_requests:
                self._hold_all(result, wait)
            elif result.kind == RetryableError.NOT_CONNECTED:
                self._end_if_unreachable(result, number)
            limited += result.most_attempts is not None
            asked_enough = limited == result.most_attempts or number == self._requests.attempts
            if asked_enough or seconds + wait >= deadline:
                return self._give_up(item, result, attempts, seconds)
            if self._scheduler.stopping.is_set():
                return None  # the request book knows what the attempts cost
            seconds += wait
            await self._scheduler.pause(wait)

    async def _attempt(self, item: Item, question: Question, limit_seconds: float) -> Attempt:
        """One request within budget and limits. Raises BudgetUsedUp, ModelError and StoreError."""
        await self._budget.reserve()
        spent_usd = 0.0
        try:
            entered = await self._limits.enter()
            request = self._book.sent(item.id, self._budget.most_usd or None)
            spent_usd = self._budget.most_usd  # until it is known better: a lost answer may be billed
            loop = asyncio.get_running_loop()
            started = loop.time()
            result: Result | None = None
            with self._scheduler.sending():
                try:
                    result = await self._send(question, min(self._requests.attempt_seconds, limit_seconds))
                except ModelError as error:
                    spent_usd = 0.0
                    self._book.ended(request, str(error), 0.0, None)
                    self._scheduler.stop(error)  # before another worker takes the free slot
                    raise
                finally:
                    refused = isinstance(result, RetryableError) and result.affects_all_requests
                    # An answer without a caption takes tokens, too.
                    reply = result if isinstance(result, Reply) else getattr(result, "reply", None)
                    self._limits.leave(entered, refused, reply)
            self._note_answer(result, refused)
            cost_usd = self._cost_usd(question, result, reply)
            spent_usd = cost_usd or 0.0
            if isinstance(result, RetryableError):
                self._book.ended(request, f"{result.kind}: {result}", cost_usd, reply)
            return Attempt(result, loop.time() - started, request, cost_usd)
        finally:
            self._budget.settle(spent_usd)

    async def _send(self, question: Question, limit_seconds: float) -> Result:
        """The session's reply, or its error where that concerns this request only."""
        try:
            async with asyncio.timeout(limit_seconds):
                return credible(await self._session.ask(question.prepared))
        except (CaptionError, RetryableError) as error:
            if error.reply:
                error.reply = credible(error.reply)
            return error
        except TimeoutError:
            return RetryableError(f"no answer within {limit_seconds:.0f} s", "timeout")
        except EvaluatorError:
            raise
        except Exception as error:
            logger.debug("an answer could not be read", exc_info=True)
            reason = f"{type(error).__name__}: {error}"
            return CaptionError(Outcome.ERROR, f"the answer could not be read: {reason}")

    def _note_answer(self, result: Result, refused: bool) -> None:
        """Remember that the server can be reached, or since when it cannot."""
        if isinstance(result, Reply):
            self._limits.open_up()
        self._server_has_answered |= refused or isinstance(result, Reply | CaptionError)
        if not isinstance(result, RetryableError) or result.kind != RetryableError.NOT_CONNECTED:
            self._unreachable_since = None
        elif self._unreachable_since is None:
            self._unreachable_since = asyncio.get_running_loop().time()

    def _cost_usd(self, question: Question, result: Result, reply: Reply | None) -> float | None:
        """What a request cost: the most that it can have cost, where the answer does not say it."""
        if reply and (cost_usd := self._policy.cost_usd(question.model, reply)) is not None:
            return cost_usd
        if not self._budget.most_usd:
            return None
        was_billed = reply is not None or isinstance(result, Reply) or result.may_be_billed
        return self._budget.most_usd if was_billed else 0.0

    def _give_up(self, item: Item, error: RetryableError, attempts: list[Attempt], seconds: float) -> Caption:
        """The outcome of an image without an answer. Raises ModelError if the server has never answered."""
        message = f"{error.kind} ({len(attempts)} attempts): {error}"
        self._unanswered_images += 1
        if not self._server_has_answered and self._unanswered_images >= UNANSWERED_IMAGES:
            raise ModelError(
                f"{message}. The server has not answered any request: is the server running, and its address "
                "right? Run the same command again to continue"
            )
        took = what_they_took(attempts) | {"seconds": round(seconds, 6)}
        return Caption(item.id, Outcome.ERROR, error.reply, message, **took)

    def _end_if_unreachable(self, error: RetryableError, attempt: int) -> None:
        """Raises ModelError where no server can be reached, without the waits of other failures."""
        if not self._server_has_answered and attempt >= min(ATTEMPTS_TO_CONNECT, self._requests.attempts):
            raise ModelError(
                f"no server can be reached: {error}. Is the server running, and its address right?"
            )
        since, now = self._unreachable_since, asyncio.get_running_loop().time()
        if since is not None and now - since > UNREACHABLE_SECONDS:
            raise ModelError(
                f"the server cannot be reached any more: {error}. Is it still running? "
                "Run the same command again to continue"
            )

    def _hold_all(self, refusal: RetryableError, wait: float) -> None:
        """Let all requests wait. Raises ModelError if the provider asks for too long a wait."""
        seconds = wait if refusal.retry_after_seconds is None else refusal.retry_after_seconds
        if seconds >= self._requests.deadline_seconds:
            raise ModelError(
                f"{refusal}. The provider says to wait {seconds:.0f} s, which is longer than "
                "runner.requests.deadline_seconds. Run the same command again after that time to continue"
            )
        self._limits.hold(seconds)
        self._show_wait(refusal.kind, seconds)


def what_they_took(attempts: list[Attempt]) -> dict[str, Any]:
    """The fields of a caption that say what all of its requests took."""
    known = [attempt.cost_usd for attempt in attempts if attempt.cost_usd is not None]
    return {
        "attempts": len(attempts),
        "cost_usd": sum(known) if known else None,
        "requests": tuple(attempt.request for attempt in attempts),
    }


def repeated(caption: Caption, item: Item) -> Caption:
    """The answer to the same question about another item."""
    return Caption(
        item.id, caption.outcome, caption.reply, caption.error, attempts=0, cost_usd=0.0, source="cache"
    )
