"""From one prepared picture to its outcome.

    cache -> attempts: budget -> limits -> request -> cache

An answer is put into the cache, returned and recorded without an `await` in between. So only a kill can come
between these steps, and then the next run takes the answer from the cache.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from evaluator.core import Caption, Item, Outcome, RemoteSession, Reply, Usage
from evaluator.core.errors import CaptionError, ImageError, ModelError, RetryableError
from evaluator.runner.answer_cache import ResponseCache, key_of
from evaluator.runner.budget import Budget, BudgetUsedUp
from evaluator.runner.limits import Limits, TokenEstimate
from evaluator.runner.outcomes import caption_from
from evaluator.runner.prices import price_of
from evaluator.runner.request_options import Requests
from evaluator.runner.retry import backoff_seconds
from evaluator.runner.scheduler import RequestScheduler

# Stop the run after this many images without an answer, if the server has never answered: it is probably
# down, or the address is wrong.
UNANSWERED_IMAGES = 10
# The estimated tokens of a request before the first answer, where a captioner does not give bounds.
FIRST_TOKEN_ESTIMATE = 1000.0

Result = Reply | CaptionError | RetryableError


class Attempt(NamedTuple):
    """What came of one request; the cost is None where it is not known."""

    result: Result
    seconds: float
    cost_usd: float | None


class Question(NamedTuple):
    """What a session prepared for one item, the key of its answer in the cache, and the model."""

    prepared: Any
    key: str
    model: str


@dataclass(frozen=True)
class RequestPolicy:
    """What may be taken from the cache and what may be spent in one run."""

    cache: ResponseCache | None = None
    read_cache: bool = True
    budget_usd: float | None = None
    spent_usd: float = 0.0
    prices: Path | None = None  # the user's own price file
    usage: Usage | None = None  # the bounds of one request, if the captioner gives them

    def cost_usd(self, model: str, reply: Reply) -> float | None:
        """What a reply cost; None where the price of the model or the tokens are not known."""
        price = price_of(model, self.usage.provider if self.usage else "", self.prices)
        return price.cost_usd(reply) if price else None

    @property
    def most_usd(self) -> float:
        """The most that one request can cost; 0 where that is not known."""
        price = price_of(self.usage.model, self.usage.provider, self.prices) if self.usage else None
        return price.bounds_usd(self.usage)[1] if price and self.usage else 0.0


def question_about(session: RemoteSession, item: Item) -> Question | ImageError | CaptionError:
    """The question about an item, or the reason why there is none. Runs in threads."""
    try:
        prepared = session.prepare(item)
        content = session.cache_key(prepared)
    except (ImageError, CaptionError) as error:
        return error
    return Question(prepared, key_of(content), str(content.get("model", "")))


class CachedAnswers:
    """Answers of earlier runs; and of two equal questions at the same time, only one is sent."""

    def __init__(self, cache: ResponseCache | None, read: bool) -> None:
        self._cache, self._read = cache, read and cache is not None
        self._pending: dict[str, asyncio.Event] = {}

    async def get_or_ask(
        self, item: Item, question: Question, ask: Callable[[Item, Question], Awaitable[Caption | None]]
    ) -> Caption | None:
        if self._cache is None or not self._read:
            return self._keep(question, await ask(item, question))
        while other := self._pending.get(question.key):
            await other.wait()
        if answer := self._cache.get(question.key):
            return replace(answer, item_id=item.id)
        self._pending[question.key] = asyncio.Event()
        try:
            return self._keep(question, await ask(item, question))
        finally:
            self._pending.pop(question.key).set()

    def _keep(self, question: Question, caption: Caption | None) -> Caption | None:
        if self._cache and caption and not caption.outcome.can_be_retried:
            self._cache.put(question.key, question.model, caption)
        return caption


class Asker:
    """Asks the questions of one run, within one event loop."""

    def __init__(
        self,
        session: RemoteSession,
        requests: Requests,
        policy: RequestPolicy,
        scheduler: RequestScheduler[Question | ImageError | CaptionError],
    ) -> None:
        self._session, self._requests, self._policy, self._scheduler = session, requests, policy, scheduler
        self._answers = CachedAnswers(policy.cache, policy.read_cache)
        self._limits = Limits(requests.in_flight, requests.per_minute, requests.tokens_per_minute)
        self._budget = Budget(policy.budget_usd, policy.spent_usd)
        self._most_usd = policy.most_usd
        usage = policy.usage
        self._tokens = TokenEstimate(
            float(usage.input_tokens[1] + usage.output_tokens[1]) if usage else FIRST_TOKEN_ESTIMATE
        )
        self._jitter = Random(0)
        self._server_has_answered = False
        self._unanswered_images = 0

    async def caption(self, item: Item, question: Question | ImageError | CaptionError) -> Caption | None:
        """One item's outcome; None where the run stopped before there was one."""
        if isinstance(question, ImageError | CaptionError):
            return caption_from(item, question)
        return await self._answers.get_or_ask(item, question, self._ask)

    async def _ask(self, item: Item, question: Question) -> Caption | None:
        """Send requests until there is an answer, within the limits of attempts and time.

        The time counts requests and waits before the next attempt, not the time spent in the queue.
        """
        attempt, seconds, deadline = 0, 0.0, self._requests.deadline_seconds
        while True:
            try:
                result, took, cost_usd = await self._attempt(question, deadline - seconds)
            except BudgetUsedUp:
                return Caption(item.id, Outcome.SKIPPED, error="the budget is used up", attempts=attempt)
            attempt += 1
            if not isinstance(result, RetryableError):
                return caption_from(
                    item,
                    result,
                    seconds=round(took, 6),
                    attempts=attempt,
                    cost_usd=cost_usd,
                    answered_at=round(time.time(), 6),
                )
            seconds += took
            wait = max(result.retry_after_seconds or 0.0, backoff_seconds(attempt, self._jitter))
            if result.affects_all_requests:
                self._hold_all(result, wait)
            if attempt == self._requests.attempts or seconds + wait >= deadline:
                return self._give_up(item, result, attempt, seconds)
            if self._scheduler.is_stopping:
                return None
            seconds += wait
            await self._scheduler.pause(wait)

    async def _attempt(self, question: Question, limit_seconds: float) -> Attempt:
        """One request within budget and limits. Raises BudgetUsedUp and ModelError."""
        async with self._budget.reserve(self._most_usd) as reservation:
            estimated = self._tokens.tokens
            round_sent = await self._limits.enter(estimated)
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
                    excess = self._tokens.update(_reply_of(result), estimated)
                    self._limits.leave(round_sent, refused, excess)
            seconds, reply = time.monotonic() - started, _reply_of(result)
            cost_usd = self._policy.cost_usd(question.model, reply) if reply else None
            if cost_usd is not None:
                reservation.spent_usd = cost_usd
            elif not refused:  # a request without an answer may have cost the most
                reservation.spent_usd = self._most_usd
        return Attempt(result, seconds, cost_usd)

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
        return Caption(item.id, Outcome.ERROR, error=message, seconds=round(seconds, 6), attempts=attempts)

    def _hold_all(self, refusal: RetryableError, wait: float) -> None:
        """Let all requests wait. Raises ModelError if the provider asks for too long a wait."""
        seconds = wait if refusal.retry_after_seconds is None else refusal.retry_after_seconds
        if seconds >= self._requests.deadline_seconds:
            raise ModelError(
                f"{refusal}. The provider says to wait {seconds:.0f} s, which is longer than "
                "runner.requests.deadline_seconds. Run the same command again after that time to continue"
            )
        self._limits.hold(seconds)


def _reply_of(result: Result | None) -> Reply | None:
    """The reply of an answer, also of one that holds no caption."""
    if isinstance(result, CaptionError):
        return result.reply
    return result if isinstance(result, Reply) else None
