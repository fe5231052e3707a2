"""The jobs of a run at a provider: each is made once, and found again where a kill came between.

    written down as uploading -> upload -> written down as creating -> create -> written down as created

Making a job costs money; everything before is free. So whichever command comes next looks for an upload or a
job that may be at the provider, under our own name of it, before it makes another one.
"""

from __future__ import annotations

import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from itertools import count
from random import Random
from typing import IO, TypeVar
from uuid import uuid4

from evaluator.core.batch_jobs import BatchProvider, Job, JobBook, JobState, JobStatus
from evaluator.core.errors import CaptionError, EvaluatorError, ModelError, RetryableError
from evaluator.core.secrets import known_secrets
from evaluator.runner.budget import JobBudget
from evaluator.runner.limits import backoff_seconds

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

# So long after an interrupted step the provider has done what it will do, and can be asked about it.
SETTLED_SECONDS = 20.0
ATTEMPTS = 5  # to reach the provider, in each step
ATTEMPTS_WHILE_WAITING = 60  # a command that waits for a day outlasts an hour without a network
# The longest wait before the next attempt, whatever a provider asks for.
LONGEST_WAIT_SECONDS = 300.0


class Draft:
    """A job that is being written, in a file without a name."""

    def __init__(self, first_request: int) -> None:
        self.first_request = first_request
        self.file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115  (it is kept)
        self.requests = self.size = 0

    def add(self, line: bytes) -> None:
        self.requests += 1
        self.size += self.file.write(line + b"\n")


class Jobs:
    """What is done with jobs, each step written down in the `book` before and after it."""

    def __init__(self, provider: BatchProvider, book: JobBook, budget: JobBudget, waits: bool) -> None:
        self.queue_is_full = False  # until a job ends, the provider takes no other
        self._provider, self._book, self._budget = provider, book, budget
        self._waits, self._attempts = waits, ATTEMPTS_WHILE_WAITING if waits else ATTEMPTS
        self._secrets = known_secrets()
        self._jitter = Random(0)

    async def send(self, name: str, draft: Draft) -> None:
        """Upload a job's requests and make the job. Raises ModelError where none can be made."""
        with draft.file as file:
            job = Job(name, JobState.UPLOADING, draft.first_request, draft.requests, draft.size)
            job = self.note(job, JobState.UPLOADING)

            def upload() -> Awaitable[str]:
                file.seek(0)
                return self._provider.upload(job, file)

            try:
                uploaded = await self.reach(upload)
            except EvaluatorError as error:  # an upload costs nothing
                self.give_up(job, str(error))
                raise
            job = self.note(job, JobState.CREATING, file=uploaded)
            await self._create(job, file)

    async def _create(self, job: Job, file: IO[bytes] | None) -> None:
        """Make a job, which may take several attempts: none is made before it is known that none exists."""
        for attempt in count(1):
            try:
                if file:
                    file.seek(0)
                made = await self._provider.create(job, file)
            except RetryableError as error:
                if error.kind == "rate limit":
                    self.refused(job, JobStatus("refused", reason=str(error), queue_is_full=True))
                    return
                logger.warning("it is not known whether a job was made (%s): it is looked for", error)
                found = await self._find(job)
                if found is None:
                    return  # the next look at the jobs finds out
                if not found and attempt == ATTEMPTS:
                    self.give_up(job, str(error))
                    raise ModelError(f"no job could be made: {error}. Run the same command again") from None
                if not found:
                    job = self.note(job, JobState.CREATING)
                    continue
                made = found
            except EvaluatorError as error:
                self.give_up(job, str(error))
                if file is None:  # the upload is no longer there: a new one says what is wrong, if it is more
                    logger.warning("a job of an earlier command could not be made: %s", error)
                    return
                raise ModelError(str(error)) from error
            self.note(job, JobState.CREATED, batch=made)
            logger.info("batch job %s: %d requests are submitted", made, job.requests)
            return

    async def resume(self, job: Job) -> None:
        """Take up a job where an earlier command was interrupted."""
        if job.state is JobState.UPLOADING:
            if uploaded := await self.reach(partial(self._provider.find_upload, job)):
                await self._create(self.note(job, JobState.CREATING, file=uploaded), None)
            else:
                self.give_up(job, "not uploaded")
            return
        found = await self._find(job)
        if found:
            self.note(job, JobState.CREATED, batch=found)
            logger.info("batch job %s was made by an interrupted command: it is collected", found)
        elif found is not None and job.file:
            await self._create(self.note(job, JobState.CREATING), None)
        elif found is not None:
            self.give_up(job, "not made")

    async def _find(self, job: Job) -> str | None:
        """The provider's name of a job that may have been made; empty when it cannot be on its way either.

        None: that is not known yet.
        """
        others = {other.batch for other in self._book.jobs.values() if other.batch}
        for seconds in (0.0, SETTLED_SECONDS):
            await asyncio.sleep(seconds)
            found = await self.reach(partial(self._provider.find, job, others))
            if found != "":
                return found
        return ""

    def refused(self, job: Job, status: JobStatus) -> None:
        """A job that will never be done. Raises ModelError where waiting for other jobs does not help."""
        self.give_up(job, status.reason)
        if not status.queue_is_full:
            raise ModelError(f"the provider refuses a job: {status.reason}")
        if not self._book.jobs:
            raise ModelError(
                f"the provider takes no job now: {status.reason}. Run the same command again later, or type "
                "a smaller runner.most_requests=..."
            )
        logger.warning("the provider takes no more jobs before one ends: %s", status.reason)
        self.queue_is_full = True

    def note(self, job: Job, state: JobState, **changes: str) -> Job:
        job = replace(job, state=state, at=round(time.time(), 3), **changes)  # type: ignore[arg-type]
        self._book.note(job)
        return job

    def give_up(self, job: Job, reason: str) -> None:
        """Forget a job that does not exist: its items may be asked about again."""
        self.free_requests(job.name, reason)
        self.note(job, JobState.ENDED, reason=self._secrets.scrubbed(reason)[:200])

    def free_requests(self, name: str, reason: str) -> None:
        """The requests of a job that does not exist cost nothing."""
        for number, request in self._book.open_requests(name).items():
            self._book.ended(number, reason, 0.0, None)
            self._budget.settle(request.most_usd, 0.0)

    async def reach(self, call: Callable[[], Awaitable[Result]]) -> Result:
        """The result of a call that may be repeated. Raises ModelError where the provider is not reached."""
        for attempt in count(1):
            try:
                return await call()
            except RetryableError as error:
                asked_for = error.retry_after_seconds or 0.0
                if attempt == self._attempts or (asked_for > LONGEST_WAIT_SECONDS and not self._waits):
                    after = f" after {asked_for:,.0f} seconds" if asked_for > LONGEST_WAIT_SECONDS else ""
                    raise ModelError(
                        f"{error.kind} ({attempt} attempts): {error}. Run the same command again{after} "
                        "to continue"
                    ) from None
                wait = min(max(asked_for, backoff_seconds(attempt, self._jitter)), LONGEST_WAIT_SECONDS)
            except CaptionError as error:
                raise ModelError(str(error)) from error
            await asyncio.sleep(wait)
        raise AssertionError


def new_name() -> str:
    """A name for a job that no other job in the world has."""
    return f"evaluator-{uuid4().hex[:16]}"
