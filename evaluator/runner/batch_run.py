"""Captioning by a provider's batch interface: requests become jobs, whose answers are collected later.

    prepared picture -> cache -> budget -> request book -> job  ...  answers -> record -> cache

Each request is written down before its job is made, so that whichever command comes next knows whose answers
it gets. An answer that was recorded is known by its request's number: an answer that comes twice counts once.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial

from evaluator.core import Caption, Closing, Item, Outcome, Reply
from evaluator.core.batch_jobs import (
    ASK_OTHERWISE,
    Answer,
    BatchLimits,
    BatchSession,
    Job,
    JobBook,
    JobState,
    JobStatus,
    OpenRequest,
    request_id,
    unanswered,
)
from evaluator.core.chat import only_the_answer
from evaluator.core.errors import CaptionError, EvaluatorError, ModelError, RetryableError
from evaluator.core.secrets import caption_without_secrets, known_secrets
from evaluator.runner.answer_cache import CarefulCache
from evaluator.runner.awake_loop import AwakeLoop, run_in_loop
from evaluator.runner.budget import JobBudget
from evaluator.runner.interrupts import on_interrupt
from evaluator.runner.jobs import Draft, Jobs, new_name
from evaluator.runner.local import caption_from
from evaluator.runner.picture_workers import picture_workers
from evaluator.runner.preparation import prepare_ahead
from evaluator.runner.prices import credible
from evaluator.runner.recording import Recorder
from evaluator.runner.remote import Question, question_about
from evaluator.runner.request_options import RequestPolicy

logger = logging.getLogger(__name__)

PICTURES_AHEAD = 16  # which threads prepare while the pictures before are written
LINE_BYTES = 200  # what a request takes in a job besides its body


class BatchRun:
    """What one command does for the jobs of a run. `poll_seconds` of None waits for nothing."""

    def __init__(
        self,
        session: BatchSession,
        limits: BatchLimits,
        policy: RequestPolicy,
        cache: CarefulCache,
        book: JobBook,
        recorder: Recorder,
        workers: int,
        poll_seconds: float | None,
        stops_at_lost_jobs: bool,
    ) -> None:
        self._session, self._provider = session, session.batch_provider
        self._limits, self._policy, self._cache, self._book = limits, policy, cache, book
        self._recorder, self._workers, self._poll_seconds = recorder, workers, poll_seconds
        self._stops_at_lost_jobs = stops_at_lost_jobs
        self._secrets = known_secrets()
        most_usd = max(policy.most_usd, book.dearest_usd) if policy.most_usd else 0.0
        self._budget = JobBudget(policy.budget_usd, most_usd, policy.spent_usd)
        self._jobs = Jobs(self._provider, book, self._budget, waits=poll_seconds is not None)
        self._model = policy.usage.model if policy.usage else ""
        self._waiting: dict[str, Item] = {}  # without an outcome in this command
        self._asked_otherwise: set[str] = set()
        self._last_progress = ""

    def caption_all(self, items: Iterable[Item]) -> None:
        """Record what jobs have answered, and submit the rest.

        Raises ModelError if no further job can succeed and KeyboardInterrupt after Ctrl-C. What is at the
        provider stays there.
        """
        self._waiting = {item.id: item for item in items}
        loop = AwakeLoop()
        stopped = asyncio.Event()

        async def run() -> None:
            work = asyncio.create_task(self._work())
            stopping = asyncio.create_task(stopped.wait())
            await asyncio.wait((work, stopping), return_when=asyncio.FIRST_COMPLETED)
            stopping.cancel()
            if not work.done():
                work.cancel()
                with suppress(asyncio.CancelledError):
                    await work
                raise KeyboardInterrupt
            await work

        def stop() -> None:
            with suppress(RuntimeError):  # the loop has just been closed
                loop.call_soon_threadsafe(stopped.set)

        with on_interrupt(stop):
            try:
                run_in_loop(loop, run)
            finally:
                self._say_what_is_open()

    async def _work(self) -> None:
        try:
            for name in self._book.unnoted_jobs:  # a kill came before anything was sent
                self._jobs.free_requests(name, "not sent")
            await self._collect()
            await self._hand_in()
            while self._poll_seconds is not None and (before := set(self._book.jobs)):
                await asyncio.sleep(self._poll_seconds)
                await self._collect()
                if before - self._book.jobs.keys():  # there is money, room or an answer in the cache
                    await self._hand_in()
        finally:
            if isinstance(self._session, Closing):
                await self._session.close()

    # --- collecting ----------------------------------------------------------------------------------------

    async def _collect(self) -> None:
        """Take the answers of every job that has ended."""
        answered, requests = 0, 0
        for name in list(self._book.jobs):
            if self._book.jobs[name].state is not JobState.CREATED:
                await self._jobs.resume(self._book.jobs[name])
            job = self._book.jobs.get(name)
            if job is None or job.state is not JobState.CREATED:
                continue
            status = await self._jobs.reach(partial(self._provider.status, job))
            if status.state == "running":
                answered += status.answered or 0
                requests += job.requests
            else:
                await self._take(job, status)
        progress = f"batch jobs: {answered:,} of {requests:,} requests are answered"
        if requests and progress != self._last_progress:
            logger.info("%s", progress)
            self._last_progress = progress

    async def _take(self, job: Job, status: JobStatus) -> None:
        """Record all answers of a job that has ended, and what became of the other requests."""
        if status.state == "refused":
            self._jobs.refused(job, status)
            return
        if status.state == "unknown":
            if self._stops_at_lost_jobs:
                raise ModelError(
                    f"the provider does not know the job {job.batch} of {job.requests:,} requests. Does the "
                    "key belong to the account that made it? If it is lost, type runner.lost_jobs=error: its "
                    "requests are then made again, and count with the most that they can have cost"
                )
            status = replace(status, reason="was lost at the provider", rest_is_free=False)
        requests = dict(self._book.open_requests(job.name))
        captions: list[Caption | None] = []
        strangers = 0
        answers: Iterator[Answer] = iter(())
        if status.state == "ended":
            answers = await self._jobs.reach(partial(self._provider.answers, job, status))
        for answered_id, result in answers:
            await asyncio.sleep(0)  # so that Ctrl-C is seen
            number = job.number_of(answered_id)
            strangers += number is None
            if number is not None and (request := requests.pop(number, None)):
                captions.append(self._finish(number, request, result))
        if strangers:
            logger.warning(
                "the job %s has %d answers to requests that it never had: they are ignored",
                job.batch,
                strangers,
            )
        rest = unanswered(status.reason or "was left out of the answers of its job")
        is_free = bool(status.reason) and status.rest_is_free
        captions += [self._finish(number, request, rest, is_free) for number, request in requests.items()]
        self._jobs.note(job, JobState.ENDED)
        self._jobs.queue_is_full = False
        if job.file:
            with suppress(Exception):  # the provider deletes it later
                await self._provider.forget(job)
        for caption in filter(None, captions):
            self._recorder.first_failures.count(caption)

    def _finish(
        self, number: int, request: OpenRequest, result: Reply | EvaluatorError, is_free: bool = True
    ) -> Caption | None:
        """Record the outcome of a request; nothing where it is to be asked in another form.

        Without an answer it costs nothing, or not `is_free` the most that it can.
        """
        reply = result if isinstance(result, Reply) else getattr(result, "reply", None)
        cost_usd = self._policy.cost_usd(self._model, credible(reply)) if reply else None
        if cost_usd is None and request.most_usd is not None:
            cost_usd = 0.0 if reply is None and is_free else request.most_usd
        self._budget.settle(request.most_usd, cost_usd)
        item = Item(request.item_id, None)
        is_other = isinstance(result, RetryableError) and result.kind == ASK_OTHERWISE
        if is_other and item.id not in self._asked_otherwise:
            self._asked_otherwise.add(item.id)
            self._book.ended(number, str(result), 0.0, None)
            return None
        took = {"attempts": 1, "cost_usd": cost_usd, "requests": (number,)}
        if isinstance(result, RetryableError):
            message = f"{result.kind} (1 attempts): {result}"
            caption = Caption(item.id, Outcome.ERROR, result.reply, message, **took)  # type: ignore[arg-type]
        else:
            result = credible(result) if isinstance(result, Reply) else result
            caption = caption_from(item, result, answered_at=round(time.time(), 6), **took)
        caption = caption_without_secrets(caption, self._secrets)
        self._recorder.keep(caption)
        self._waiting.pop(item.id, None)
        if not caption.outcome.can_be_retried and request.key:
            self._cache.put(request.key, self._model, caption)
        return caption

    # --- submitting ----------------------------------------------------------------------------------------

    async def _hand_in(self) -> None:
        """Make jobs of the items that no job has, as far as the budget reaches."""
        draft, name, too_dear = None, new_name(), list[Item]()
        async for item, key, body in self._requests():
            size = len(body) + LINE_BYTES
            if draft and (draft.requests == self._limits.requests or draft.size + size > self._limits.size):
                await self._jobs.send(name, draft)
                draft, name = None, new_name()
                if self._jobs.queue_is_full:
                    return
            if not self._budget.reserve():
                too_dear.append(item)
                continue
            number = self._book.sent(item.id, self._budget.most_usd or None, name, key)
            draft = draft or Draft(number)
            draft.add(self._provider.line(request_id(name, number), body))
        if draft:
            await self._jobs.send(name, draft)
        if self._poll_seconds is not None and self._book.jobs:
            return  # the jobs may return money
        for item in too_dear:
            self._settle(Caption(item.id, Outcome.SKIPPED, error="the budget is used up", attempts=0))

    async def _requests(self) -> AsyncIterator[tuple[Item, str, bytes]]:
        """The items that need a request, each with its key in the cache and the body of the request.

        All others get their outcome here. Of two equal questions, only one is asked: its answer comes into
        the cache, and the other one takes it from there.
        """
        in_jobs = [one for job in self._book.jobs for one in self._book.open_requests(job).values()]
        of_jobs, keys = {one.item_id for one in in_jobs}, {one.key for one in in_jobs}
        todo = [item for item in self._waiting.values() if item.id not in of_jobs]
        if not todo or self._jobs.queue_is_full:
            return
        with picture_workers(partial(question_about, self._session), self._workers, "threads") as workers:
            for item, question in prepare_ahead(workers, todo, lambda: PICTURES_AHEAD):
                await asyncio.sleep(0)  # so that Ctrl-C is seen
                if not isinstance(question, Question):
                    self._settle(caption_from(item, question))
                    continue
                if self._policy.read_cache:
                    if answer := self._cache.get(question.key):
                        self._settle(only_the_answer(replace(answer, item_id=item.id)))
                        continue
                    if question.key in keys:
                        continue
                    keys.add(question.key)
                try:
                    body = await self._provider.body(question.prepared)
                    if len(body) + LINE_BYTES > self._limits.size:
                        raise CaptionError(Outcome.ERROR, too_large(len(body), self._limits.size))
                except CaptionError as error:
                    self._settle(caption_from(item, error))
                    continue
                yield item, question.key, body

    # --- both ----------------------------------------------------------------------------------------------

    def _settle(self, caption: Caption) -> None:
        """Record an outcome that took no request."""
        self._waiting.pop(caption.item_id, None)
        self._recorder(caption)

    def _say_what_is_open(self) -> None:
        jobs = self._book.jobs.values()
        if jobs:
            logger.warning(
                "batch jobs at the provider: %d, with %d requests. They are answered within a day: type the "
                "same command again to collect the answers, or add runner.wait=true to wait for them",
                *(len(jobs), sum(job.requests for job in jobs)),
            )


def too_large(size: int, most: int) -> str:
    sizes = f"the request takes {size / 1e6:.1f} MB, and a job at most {most / 1e6:.1f} MB"
    return f"{sizes}. Type runner=default for it"
