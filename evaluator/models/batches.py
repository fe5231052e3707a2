"""What the batch interfaces of all providers share: failures, and answers that come as lines of one file.

A provider (openai_batches.py, anthropic_batches.py, gemini_batches.py) adds how its jobs are made, found and
read. Requests and replies are those of its session: the bodies are the same as one by one.
"""

from __future__ import annotations

import io
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, ClassVar, Generic, TypeVar

from evaluator.core import Reply
from evaluator.core.batch_jobs import ASK_OTHERWISE, Answer, BatchLimits, Job
from evaluator.core.errors import EvaluatorError, ModelError, RetryableError
from evaluator.models.answers import parse, text
from evaluator.models.asked import Asked
from evaluator.models.cloud import KEPT_CHARACTERS, Client, CloudSession
from evaluator.models.wire import MAX_BATCH_BYTES, ErrorResponse

Result = TypeVar("Result")

logger = logging.getLogger(__name__)

# How much earlier than by our clock a provider may say that a job was made.
CLOCKS_DIFFER_SECONDS = 3600.0
# The reasons for which requests of a job have no answer.
EXPIRED = "has expired before it was answered"
CANCELLED = "was cancelled at the provider"


class CloudBatches(ABC, Generic[Client]):
    """The batch interface for one session."""

    limits: ClassVar[BatchLimits]

    def __init__(self, session: CloudSession[Client]) -> None:
        self.session = session
        session.most_bytes = MAX_BATCH_BYTES

    async def body(self, prepared: Asked) -> bytes:
        return await self.body_of(self.session.form_of(prepared))

    @abstractmethod
    async def body_of(self, asked: Asked) -> bytes:
        """The body of the request that the session sends. Raises CaptionError."""

    @abstractmethod
    def answer(self, line: Mapping[str, Any]) -> Answer:
        """The answer in a line of the file. Raises ValueError for a line in another form."""

    async def sent(
        self, call: Callable[[Client], Awaitable[Any]], read: Callable[[Any], Result] = lambda answer: answer
    ) -> Result:
        """What `read` finds in the answer to a call of the SDK. An SDK hands on any document, also a text.

        Whatever either raises becomes an error of ours, as for one request. Raises NotFound where the server
        knows no such thing.
        """
        try:
            answer = await call(self.session.client)
        except EvaluatorError:
            raise
        except Exception as error:
            response = error if isinstance(error, ErrorResponse) else error.__cause__
            if isinstance(response, ErrorResponse) and response.status in (404, 405, 410):
                raise NotFound from None
            raise self.session.failed_request(error) from None
        try:
            return read(answer)
        except (ValueError, TypeError, AttributeError, LookupError) as error:
            message = self.session.secrets.scrubbed(f"{type(error).__name__}: {error}")[:KEPT_CHARACTERS]
            raise RetryableError(f"the answer has another form ({message})", "malformed answer") from None

    async def found_upload(self, search: Callable[[Client], Awaitable[str]]) -> str:
        """What a search for an upload finds; nothing where the server has no list: an upload is free."""
        try:
            return await self.sent(search)
        except NotFound:
            return ""

    async def found_job(self, job: Job, search: Callable[[Client], Awaitable[Result]]) -> Result:
        """What a search for a job finds. Raises ModelError where the server has no list of jobs."""
        try:
            return await self.sent(search)
        except NotFound:
            raise ModelError(
                f"{self.session.captioner.base_url} does not list its jobs, so nobody knows whether the job "
                f"{job.name} of an interrupted command was made. If it was not, delete the lines with this "
                "name from batches.jsonl in the run folder, and run the same command again"
            ) from None

    async def offered(
        self, call: Callable[[Client], Awaitable[Any]], read: Callable[[Any], Result]
    ) -> Result:
        """What `read` finds in the answer of the batch interface. Raises ModelError where there is none."""
        try:
            return await self.sent(call, read)
        except NotFound:
            raise self.no_interface() from None

    async def downloaded(
        self, job: Job, download: Callable[[Client], Awaitable[Sequence[bytes]]]
    ) -> Iterator[Answer]:
        """The answers in the files of a job. Raises ModelError where these are no longer there."""
        try:
            contents: Sequence[bytes] = await self.sent(download)
        except NotFound:
            raise self.no_answers(job) from None
        return chain.from_iterable([self.answers_in(content) for content in contents])

    def no_interface(self) -> ModelError:
        return ModelError(
            f"{self.session.captioner.base_url} has no batch interface for {self.session.captioner.model}. "
            "Type runner=default to send one request per image"
        )

    def no_answers(self, job: Job) -> ModelError:
        return ModelError(
            f"the answers of the job {job.batch} are no longer at the provider. Delete the job there "
            "and type runner.lost_jobs=error: its requests are then made again"
        )

    def answers_in(self, content: bytes) -> Iterator[Answer]:
        """The answers in a file. Raises ModelError for a huge file, RetryableError for one without any.

        A proxy may send a page instead of the file, and the answers in it are paid for.
        """
        if len(content) >= MAX_BATCH_BYTES:
            raise ModelError(
                f"the answers of a job take more than {MAX_BATCH_BYTES / 1e6:,.0f} MB. "
                "Type a smaller runner.most_requests=... for the next jobs"
            )
        answers = self.readable_lines(content)
        if (first := next(answers, None)) is None:
            raise RetryableError("no line of the file with a job's answers is an answer", "malformed answer")
        return chain([first], answers)

    def readable_lines(self, content: bytes) -> Iterator[Answer]:
        """The answers in the lines of a file; lines that are none cost one warning."""
        others: list[str] = []
        for line in filter(bytes.strip, io.BytesIO(content)):
            try:
                yield self.answer(parse(line.decode("utf-8", "replace")))
            except (ValueError, TypeError, AttributeError, LookupError) as error:
                others.append(repr(error)[:200])
        if others:
            logger.warning("lines of a job's answers that have another form: %d (%s)", len(others), others[0])

    def reply(self, body: Any) -> Reply | EvaluatorError:
        """The reply in the body of an answer, or the error that stands for it."""
        try:
            return self.session.reply_in(json.dumps(body), names_its_request=True)
        except EvaluatorError as error:
            return self.failed(error)

    def failed(self, error: EvaluatorError) -> EvaluatorError:
        """The error, or that the request is to be made in another form."""
        # Whether this request wanted them, only the command knows that made the job.
        if self.session.gives_no_probabilities(Asked("", None, wants_probabilities=True), error):
            return RetryableError(str(error), ASK_OTHERWISE)
        return error


class NotFound(Exception):
    """The server knows no such job, file or interface."""


def seconds_of(time: Any) -> float:
    """Unix seconds of a provider's time; infinitely late where it is in another form."""
    if isinstance(time, datetime):
        return time.timestamp()
    return float(time) if isinstance(time, int | float) else float("inf")


def named(value: Any) -> str:
    """A provider's name of something that was just made. Raises RetryableError where it gives none."""
    try:
        if name := text(value):
            return name
    except ValueError:
        pass
    raise RetryableError("the answer does not name what was made", "malformed answer")
