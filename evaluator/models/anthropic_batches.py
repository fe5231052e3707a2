"""Anthropic's Message Batches (platform.claude.com/docs/en/build-with-claude/batch-processing).

The requests are part of the call that makes the job, and the answers are lines of JSON. A job has no name of
ours: which one it is, the ids of its requests say, and these are only in its answers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, ClassVar

from evaluator.core.batch_jobs import Answer, BatchLimits, Job, JobStatus, unanswered
from evaluator.models.answers import part, text
from evaluator.models.asked import Asked
from evaluator.models.batches import (
    CANCELLED,
    CLOCKS_DIFFER_SECONDS,
    EXPIRED,
    CloudBatches,
    NotFound,
    named,
    seconds_of,
)
from evaluator.models.cloud import CloudSession
from evaluator.models.failures import failure_from_document

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from anthropic.types.messages import MessageBatch

# The provider takes 100,000 requests and 256 MB. All of a job is in memory here while it is sent.
LIMITS = BatchLimits(requests=100_000, size=200_000_000)
PATH = "/v1/messages/batches"
# The status that each type of error has outside of a batch (platform.claude.com/docs/en/api/errors).
STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "api_error": 500,
    "timeout_error": 504,
    "overloaded_error": 529,
}
REASONS = {"expired": EXPIRED, "canceled": CANCELLED}


class AnthropicBatches(CloudBatches["AsyncAnthropic"]):
    limits: ClassVar[BatchLimits] = LIMITS

    def __init__(
        self, session: CloudSession[AsyncAnthropic], parameters: Callable[[Asked], Mapping[str, Any]]
    ) -> None:
        super().__init__(session)
        self.parameters = parameters

    async def body_of(self, asked: Asked) -> bytes:
        return json.dumps(self.parameters(asked)).encode()

    def line(self, request_id: str, body: bytes) -> bytes:
        return b'{"custom_id": %s, "params": %s}' % (json.dumps(request_id).encode(), body)

    async def upload(self, job: Job, requests: IO[bytes]) -> str:
        return ""

    async def create(self, job: Job, requests: IO[bytes] | None) -> str:
        import httpx2

        assert requests is not None
        content = b'{"requests": [%s]}' % requests.read().rstrip(b"\n").replace(b"\n", b",")
        return await self.offered(
            lambda client: client.post(
                PATH, cast_to=httpx2.Response, content=content, options={"headers": JSON}
            ),
            lambda answer: named(answer.json().get("id")),
        )

    async def find_upload(self, job: Job) -> str:
        return ""

    async def find(self, job: Job, others: Collection[str]) -> str | None:
        async def search(client: AsyncAnthropic) -> list[MessageBatch]:
            found = []
            async for batch in client.messages.batches.list(limit=100):
                if seconds_of(batch.created_at) < job.at - CLOCKS_DIFFER_SECONDS:
                    break  # the newest come first
                if batch.id not in others and requests_of(batch) == job.requests:
                    found.append(batch)
            return found

        may_be = await self.found_job(job, search)
        for batch in may_be:
            if batch.processing_status == "ended" and await self.holds(batch.id, job):
                return named(batch.id)
        return None if any(batch.processing_status != "ended" for batch in may_be) else ""

    async def holds(self, batch: str, job: Job) -> bool:
        """Whether the answers of a job are to our requests. Its first answer says so."""
        try:
            answers = self.answers_in(await self.content(batch))
        except NotFound:  # deleted, or too old
            return False
        return any(job.number_of(name) is not None for name, _ in answers)

    async def content(self, batch: str) -> bytes:
        """The answers, from our own address: the one in the answer may be another server's."""
        import httpx2

        answer: httpx2.Response = await self.sent(
            lambda client: client.get(f"{PATH}/{batch}/results", cast_to=httpx2.Response)
        )
        return answer.content

    async def status(self, job: Job) -> JobStatus:
        try:
            return await self.sent(lambda client: client.messages.batches.retrieve(job.batch), status_of)
        except NotFound:
            return JobStatus("unknown")

    async def answers(self, job: Job, status: JobStatus) -> Iterator[Answer]:
        try:
            return self.answers_in(await self.content(job.batch))
        except NotFound:
            raise self.no_answers(job) from None

    def answer(self, line: Mapping[str, Any]) -> Answer:
        name, result = text(line["custom_id"]), part(line, "result")
        match kind := text(result.get("type")):
            case "succeeded":
                return name, self.reply(result.get("message"))
            case "errored":
                error = part(part(result, "error"), "error") or part(result, "error")
                status = STATUSES.get(str(error.get("type")), 500)
                return name, self.failed(
                    self.session.error(failure_from_document(status, {}, {"error": error}))
                )
            case "expired" | "canceled":
                return name, unanswered(REASONS[kind])
        raise ValueError(f"a result of the type {kind!r}")

    async def forget(self, job: Job) -> None:
        """The provider keeps the answers for 29 days; the requests were never a file."""


JSON = {"Content-Type": "application/json"}


def requests_of(batch: MessageBatch) -> int:
    counts = batch.request_counts
    parts = (counts.processing, counts.succeeded, counts.errored, counts.canceled, counts.expired)
    return sum(each or 0 for each in parts)


def status_of(batch: MessageBatch) -> JobStatus:
    counts = batch.request_counts
    answered = requests_of(batch) - counts.processing if counts else None
    return JobStatus("ended" if batch.processing_status == "ended" else "running", answered)
