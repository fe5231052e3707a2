"""The asynchronous runner of captioners that answer one image at a time, many at once.

    items -> prepare (threads) -> cache -> budget -> limits -> ask -> cache -> record
                                              ^________________|  again, where that may help

As many workers as requests may be in flight, and a few more whose pictures are ready ahead: memory does not
grow with the data set. An answer is kept and recorded before anything else happens, so that a process may be
killed at any moment and loses only what was on its way. Whatever ends a run early (Ctrl-C, a used-up quota, a
bad key) lets the answers that are on their way arrive first.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from typing import Annotated, Any

from annotated_types import Ge, Gt

from evaluator.core import Caption, Closing, Item, Outcome, RemoteSession, Reply, Usage
from evaluator.core.errors import CaptionError, ImageError, ModelError, TryAgain
from evaluator.runner.answer_cache import ResponseCache, key_of
from evaluator.runner.budget import Budget
from evaluator.runner.limits import Limits
from evaluator.runner.local import failed, succeeded
from evaluator.runner.prices import Price, price_of, row_of
from evaluator.runner.retry import Backoff

logger = logging.getLogger(__name__)

# As a share of the requests in flight: how many pictures are ready ahead, and how many workers may take the
# places of those that wait for another attempt.
AHEAD = 0.5
# So many images given up, and never an answer to any: nobody is there, or somebody else.
UNANSWERED_IMAGES = 10
# What a request is taken to need before the first answer, where a captioner does not say.
TOKENS_AT_FIRST = 1000.0


# What a session makes of an item and what decides the answer, or why there is nothing to ask.
Prepared = tuple[Any, Mapping[str, Any]] | ImageError | CaptionError


@dataclass(frozen=True)
class ModelLimits:
    """What one model takes, or each model of one provider; None leaves it to what holds for all."""

    in_flight: Annotated[int, Ge(1)] | None = None
    per_minute: Annotated[float, Gt(0)] | None = None
    tokens_per_minute: Annotated[float, Gt(0)] | None = None


@dataclass(frozen=True)
class Requests:
    """How requests are sent. No option here changes a caption.

    `limits` by model, as the price table names it, or by provider: with them a sweep keeps each model's own.
    """

    in_flight: Annotated[int, Ge(1)] = 50
    per_minute: Annotated[float, Gt(0)] | None = None
    tokens_per_minute: Annotated[float, Gt(0)] | None = None
    limits: Mapping[str, ModelLimits] = field(default_factory=dict)
    attempts: Annotated[int, Ge(1)] = 8
    attempt_seconds: Annotated[float, Gt(0)] = 120.0
    deadline_seconds: Annotated[float, Gt(0)] = 600.0
    first_wait_seconds: Annotated[float, Ge(0)] = 1.0
    longest_wait_seconds: Annotated[float, Ge(0)] = 60.0
    stop_seconds: Annotated[float, Ge(0)] = 30.0
    seed: Annotated[int, Ge(0)] = 0

    def of(self, usage: Usage | None) -> Requests:
        """What holds for one model: each limit that its own entry names, else its provider's, else ours.

        >>> own = {"openai": ModelLimits(per_minute=500), "gpt-4o": ModelLimits(tokens_per_minute=30_000)}
        >>> asked = Requests(limits=own).of(Usage("gpt-4o-2024-11-20", (1, 2), (1, 2), "openai"))
        >>> asked.in_flight, asked.per_minute, asked.tokens_per_minute
        (50, 500, 30000)
        """
        if usage is None:
            return self
        entries = (self.limits.get(usage.provider), row_of(usage.model, self.limits))
        named = {
            name: value
            for entry in entries  # the model's own last: it wins
            if entry
            for name, value in asdict(entry).items()
            if value is not None
        }
        return replace(self, **named)


@dataclass(frozen=True)
class Terms:
    """What may be taken from the cache and what may be spent."""

    cache: ResponseCache | None = None
    read_cache: bool = True
    budget_usd: float | None = None
    spent_usd: float = 0.0
    prices: Mapping[str, Price] = field(default_factory=dict)
    usage: Usage | None = None  # the bounds of one request, where the captioner knows them


def caption_remotely(
    session: RemoteSession,
    items: Iterable[Item],
    record: Callable[[Caption], None],
    requests: Requests,
    terms: Terms,
    pool: ThreadPoolExecutor,
) -> None:
    """Caption every item, each recorded as soon as it is there.

    Raises ModelError where no further request can succeed and KeyboardInterrupt after Ctrl-C, both when the
    answers on their way have been recorded.
    """

    async def run() -> None:
        try:
            await Run(session, iter(items), record, requests, terms, pool).finish()
        finally:
            if isinstance(session, Closing):
                await session.close()

    asyncio.run(run())


class Run:
    """The state of one run within its event loop."""

    def __init__(
        self,
        session: RemoteSession,
        items: Iterator[Item],
        record: Callable[[Caption], None],
        requests: Requests,
        terms: Terms,
        pool: ThreadPoolExecutor,
    ) -> None:
        self.session, self.items, self.record, self.requests = session, items, record, requests
        self.terms, self.pool = terms, pool
        self.limits = Limits(requests.in_flight, requests.per_minute, requests.tokens_per_minute)
        self.budget = Budget(terms.budget_usd, terms.spent_usd)
        self.backoff = Backoff(requests.seed, requests.first_wait_seconds, requests.longest_wait_seconds)
        self.ahead = max(1, int(requests.in_flight * AHEAD))
        self.ready: asyncio.Queue[tuple[Item, asyncio.Future[Prepared]] | None] = asyncio.Queue(self.ahead)
        self.workers: set[asyncio.Task[None]] = set()
        self.awake = 0  # of the workers: all but those that wait for another attempt
        self.on_their_way: set[asyncio.Task[None]] = set()
        self.asking: dict[str, asyncio.Event] = {}
        self.unanswered: int | None = 0  # images that were given up; None once anything was answered
        self.stopped_by: BaseException | None = None
        self.stopping = asyncio.Event()
        usage, model = terms.usage, terms.usage.model if terms.usage else ""
        price = price_of(model, terms.prices)
        self.most_usd = price.bounds_usd(usage)[1] if price and usage else 0.0
        self.tokens = float(usage.input_tokens[1] + usage.output_tokens[1]) if usage else TOKENS_AT_FIRST

    async def finish(self) -> None:
        """All items, or as many as can be had before something stops the run; then raises that."""
        with interruptible(self.stop):
            self.start(self.read_ahead())
            for _ in range(self.requests.in_flight):
                self.start(self.work())
            stopping = asyncio.create_task(self.stopping.wait())
            try:
                everything = asyncio.create_task(self.until_idle())
                await asyncio.wait((everything, stopping), return_when=asyncio.FIRST_COMPLETED)
                if self.stopped_by:
                    await self.wind_down()
                await everything
            finally:
                stopping.cancel()
                for worker in self.workers:
                    worker.cancel()
        if self.stopped_by:
            raise self.stopped_by

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        worker = asyncio.create_task(work)
        self.workers.add(worker)
        worker.add_done_callback(self.workers.discard)

    async def until_idle(self) -> None:
        while self.workers:
            await asyncio.wait(self.workers)

    def stop(self, reason: BaseException) -> None:
        """Begin nothing more; asked a second time, give up what is on its way too."""
        if self.stopped_by is None:
            self.stopped_by = reason
            self.stopping.set()
            for worker in self.workers - self.on_their_way:
                worker.cancel()
        elif isinstance(reason, KeyboardInterrupt):
            for worker in self.workers:
                worker.cancel()

    async def wind_down(self) -> None:
        """Wait a while for the answers that are on their way, which are paid for."""
        if self.on_their_way:
            logger.warning(
                "stopping: waiting up to %.0f s for %d answers on their way; Ctrl-C gives them up",
                self.requests.stop_seconds,
                len(self.on_their_way),
            )
            await asyncio.wait(set(self.on_their_way), timeout=self.requests.stop_seconds)
        for worker in self.workers:
            worker.cancel()

    async def read_ahead(self) -> None:
        """Have some pictures prepared before a worker asks for them, then say that there are no more.

        A worker that finds one ready goes on without giving way to others, so that its connection is never
        seen idle: an SDK's pool looks at all idle connections before each request.
        """
        try:
            loop = asyncio.get_running_loop()
            for item in self.items:
                await self.ready.put((item, loop.run_in_executor(self.pool, self.prepare, item)))
            await self.ready.put(None)
        except Exception as error:
            self.stop(error)

    async def work(self) -> None:
        """Take one item after the other until there are none, the run stops, or there are enough workers."""
        self.awake += 1
        try:
            while (ready := await self.ready.get()) is not None:
                item, prepared = ready
                if (caption := await self.caption(item, await prepared)) is not None:
                    self.record(caption)
                if self.stopped_by or self.awake > self.requests.in_flight:
                    return
            await self.ready.put(None)  # for the next worker
        except Exception as error:
            self.stop(error)
        finally:
            self.awake -= 1

    async def pause(self, seconds: float) -> None:
        """Wait before another attempt; another worker takes this one's place."""
        self.awake -= 1
        if len(self.workers) < self.requests.in_flight + self.ahead:
            self.start(self.work())
        try:
            await asyncio.sleep(seconds)
        finally:
            self.awake += 1

    async def caption(self, item: Item, ready: Prepared) -> Caption | None:
        """One item's outcome; None where the run stopped before there was one."""
        if isinstance(ready, ImageError | CaptionError):
            return failed(item, ready)
        prepared, question = ready
        key, model = key_of(question), str(question.get("model", ""))
        cache = self.terms.cache
        if cache is None or not self.terms.read_cache:
            return await self.answer(item, prepared, key, model)
        while other := self.asking.get(key):  # the same picture, asked about at this moment
            await other.wait()
        if found := cache.get(key):
            return replace(found, item_id=item.id)
        self.asking[key] = asyncio.Event()
        try:
            return await self.answer(item, prepared, key, model)
        finally:
            self.asking.pop(key).set()

    def prepare(self, item: Item) -> Prepared:
        try:
            prepared = self.session.prepare(item)
            return prepared, self.session.cache_key(prepared)
        except (ImageError, CaptionError) as error:
            return error

    async def answer(self, item: Item, prepared: Any, key: str, model: str) -> Caption | None:
        """Ask until there is an answer, so often and (waiting for others left out) for so long at most."""
        seconds = 0.0
        for attempt in range(1, self.requests.attempts + 1):
            if not await self.budget.reserve(self.most_usd):
                return Caption(item.id, Outcome.SKIPPED, error="the budget was used up", attempts=attempt - 1)
            spent_usd = 0.0
            try:
                result, took = await self.ask(prepared, self.requests.deadline_seconds - seconds)
                if not isinstance(result, TryAgain):
                    caption = self.outcome(item, result, model, attempt, took)
                    spent_usd = self.most_usd if caption.cost_usd is None else caption.cost_usd
                    if self.terms.cache and not caption.outcome.can_be_retried:
                        self.terms.cache.put(key, model, caption)
                    return caption
                # What was refused costs nothing; what was sent and never heard of may have cost the most.
                spent_usd = 0.0 if result.everyone else self.most_usd
            finally:
                self.budget.settle(self.most_usd, spent_usd)
            wait = max(result.hold_seconds or 0.0, self.backoff.seconds(attempt))
            seconds += took + wait
            self.hold(result, wait)
            if attempt == self.requests.attempts or seconds >= self.requests.deadline_seconds:
                error = f"{result.kind} ({attempt} attempts): {result}"
                self.give_up(error)
                return Caption(
                    item.id, Outcome.ERROR, error=error, seconds=round(seconds - wait, 6), attempts=attempt
                )
            if self.stopped_by:
                return None
            await self.pause(wait)
        return None

    def give_up(self, error: str) -> None:
        """Count an image without an answer. Raises ModelError where that is all there ever was."""
        if self.unanswered is None:
            return
        self.unanswered += 1
        if self.unanswered >= UNANSWERED_IMAGES:
            raise ModelError(
                f"{error}. No request was answered so far: is the server running, and its address right? The "
                "same command goes on from here"
            )

    def hold(self, refusal: TryAgain, wait: float) -> None:
        """Where everyone is refused, everyone waits. Raises ModelError where that is for too long."""
        if not refusal.everyone:
            return
        seconds = wait if refusal.hold_seconds is None else refusal.hold_seconds
        if seconds >= self.requests.deadline_seconds:
            raise ModelError(
                f"{refusal}. The provider says to wait {seconds:.0f} s, longer than "
                "runner.requests.deadline_seconds: the same command goes on from here after that"
            )
        self.limits.hold(seconds)

    async def ask(self, prepared: Any, left_seconds: float) -> tuple[Reply | CaptionError | TryAgain, float]:
        """One request within the limits and the seconds it took; a failure that another attempt may mend is
        a result here. Raises ModelError.
        """
        worker = asyncio.current_task()
        assert worker is not None
        thought = self.tokens
        sent_in = await self.limits.enter(thought)
        sent, limit = time.monotonic(), min(self.requests.attempt_seconds, left_seconds)
        result: Reply | CaptionError | TryAgain | None = None
        self.on_their_way.add(worker)
        try:
            async with asyncio.timeout(limit):
                result = await self.session.ask(prepared)
        except (CaptionError, TryAgain) as error:
            result = error
        except TimeoutError:
            result = TryAgain(f"no answer within {limit:.0f} s", "timeout")
        except ModelError as error:
            self.stop(error)  # before anybody takes this one's place
            raise
        finally:
            self.on_their_way.discard(worker)
            refused = isinstance(result, TryAgain) and result.everyone
            if refused or isinstance(result, Reply | CaptionError):
                self.unanswered = None
            self.limits.leave(sent_in, refused, self.learn(result, thought))
        return result, time.monotonic() - sent

    def outcome(
        self, item: Item, result: Reply | CaptionError, model: str, attempt: int, seconds: float
    ) -> Caption:
        """The caption that an answer is, with what it cost."""
        if isinstance(result, Reply):
            caption = succeeded(item, result, seconds)
        else:
            caption = failed(item, result, seconds)
        price = price_of(model, self.terms.prices)
        cost_usd = price.cost_usd(caption.reply) if price and caption.reply else None
        answered_at = round(time.time(), 6)
        return replace(caption, attempts=attempt, cost_usd=cost_usd, answered_at=answered_at)

    def learn(self, result: object, thought: float) -> float:
        """How many tokens more than thought a request took; the next ones are thought to be like it."""
        reply = result.reply if isinstance(result, CaptionError) else result
        if not isinstance(reply, Reply) or reply.input_tokens is None:
            return 0.0
        took = float(reply.input_tokens + (reply.output_tokens or 0))
        self.tokens += 0.1 * (took - self.tokens)
        return took - thought


@contextmanager
def interruptible(stop: Callable[[BaseException], None]) -> Iterator[None]:
    """Ctrl-C calls `stop` with a KeyboardInterrupt, in the main thread, where alone Python lets it."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before is signal.SIG_IGN:
        yield
        return
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, lambda: stop(KeyboardInterrupt()))
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        signal.signal(signal.SIGINT, before)
