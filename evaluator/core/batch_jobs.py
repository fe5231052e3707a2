"""Jobs at the batch interface of a provider: many requests at a lower price, answered within a day.

A provider that has one is a `BatchProvider`, an open captioner that can use it a `BatchSession`, and a run
folder that remembers the jobs a `JobBook`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import IO, Any, Literal, Protocol, runtime_checkable

from evaluator.core.errors import EvaluatorError, RetryableError
from evaluator.core.protocols import RemoteSession, RequestBook
from evaluator.core.values import Reply


class JobState(StrEnum):
    """What was about to happen to a job, or has happened, when it was written down last."""

    UPLOADING = "uploading"  # the requests may be at the provider, and cost nothing yet
    CREATING = "creating"  # the job may exist, and cost money
    CREATED = "created"
    ENDED = "ended"  # every request has its outcome, or was never sent


@dataclass(frozen=True)
class Job:
    """One job, as a run folder remembers it."""

    name: str  # our own, which the provider keeps too: it is part of the id of each request
    state: JobState
    first_request: int  # the number of its first request; the others follow
    requests: int
    size: int = 0  # bytes of all requests
    at: float = 0.0  # Unix seconds of this state
    file: str = ""  # the provider's name of the uploaded requests
    batch: str = ""  # the provider's name of the job
    reason: str = ""  # why it ended without answers

    def id_of(self, number: int) -> str:
        """The id under which the provider answers a request.

        >>> Job("evaluator-5f3a", JobState.CREATED, first_request=7, requests=2).id_of(8)
        'evaluator-5f3a-8'
        """
        return request_id(self.name, number)

    def number_of(self, answered_id: str) -> int | None:
        """The number of the request with this id; None for an id that the job never had."""
        name, _, digits = answered_id.rpartition("-")
        if name != self.name or not (digits.isascii() and digits.isdecimal() and len(digits) < 19):
            return None
        number = int(digits)
        return number if self.first_request <= number < self.first_request + self.requests else None


def request_id(job: str, number: int) -> str:
    return f"{job}-{number}"


@dataclass(frozen=True)
class JobStatus:
    """What a provider says about a job."""

    state: Literal["running", "ended", "refused", "unknown"]  # refused: nothing of it was or will be done
    answered: int | None = None  # requests, where it is known
    reason: str = ""  # why requests have no answer: expired, cancelled, what is wrong with the job
    files: tuple[str, ...] = ()  # the provider's names of what holds the answers
    rest_is_free: bool = True  # whether requests without an answer certainly cost nothing
    queue_is_full: bool = False  # refused only because other jobs must end first


@dataclass(frozen=True)
class BatchLimits:
    """The most that one job takes."""

    requests: int
    size: int  # bytes


# The kind of a RetryableError: the request was rejected at no cost, and its next form is another one.
ASK_OTHERWISE = "asked otherwise"

Answer = tuple[str, Reply | EvaluatorError]  # the id of a request, and what became of it


def unanswered(reason: str) -> RetryableError:
    """The error of a request that a job has no answer for.

    >>> print(unanswered("was cancelled"))
    the request was cancelled
    """
    return RetryableError(f"the request {reason}", "no answer")


class BatchProvider(Protocol):
    """The batch interface of a provider. Its methods raise what `RemoteSession.ask` raises."""

    limits: BatchLimits

    async def body(self, prepared: Any) -> bytes:
        """The request as JSON: the same that `ask` sends. Raises CaptionError for what no job can hold."""

    def line(self, request_id: str, body: bytes) -> bytes:
        """One request of a job, without a line break."""

    async def upload(self, job: Job, requests: IO[bytes]) -> str:
        """Send the lines of all requests before the job. Returns their name; empty where `create` does."""

    async def create(self, job: Job, requests: IO[bytes] | None) -> str:
        """Make the job. Returns the provider's name of it. `requests` are the lines, where they are known."""

    async def find_upload(self, job: Job) -> str:
        """The name of the requests that an interrupted command uploaded whole; empty where it did not."""

    async def find(self, job: Job, others: Collection[str]) -> str | None:
        """The provider's name of a job that an interrupted command may have made; empty where there is none.

        None: this is not known before another job ends. `others` are jobs that it cannot be.
        """

    async def status(self, job: Job) -> JobStatus: ...

    async def answers(self, job: Job, status: JobStatus) -> Iterator[Answer]:
        """All answers of a job that has ended, in any order."""

    async def forget(self, job: Job) -> None:
        """Delete the uploaded requests at the provider, whose answers are recorded."""


@runtime_checkable
class BatchSession(RemoteSession, Protocol):
    """An open captioner that can also submit many requests as one job."""

    @property
    def batch_provider(self) -> BatchProvider: ...


@runtime_checkable
class OffersBatches(Protocol):
    """A captioner whose sessions are BatchSessions."""

    @property
    def batch_limits(self) -> BatchLimits: ...


@dataclass(frozen=True)
class OpenRequest:
    """A request of a job that has no outcome yet."""

    item_id: str
    key: str  # of its answer in the cache
    most_usd: float | None


@runtime_checkable
class JobBook(RequestBook, Protocol):
    """A request book that remembers jobs and their requests, whichever command comes back for them."""

    @property
    def jobs(self) -> Mapping[str, Job]:
        """The jobs that have not ended, by name."""

    def note(self, job: Job) -> None:
        """Write down a job's new state. Raises StoreError."""

    def open_requests(self, job: str) -> Mapping[int, OpenRequest]:
        """By number, the requests of a job that have no outcome yet; it may be a job that nobody noted."""

    @property
    def unnoted_jobs(self) -> Collection[str]:
        """The jobs of whose requests some were written down, and that nothing was done for."""
