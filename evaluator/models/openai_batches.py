"""OpenAI's batch interface, and that of compatible servers (developers.openai.com/api/docs/guides/batch).

The requests are uploaded as a file of JSON lines, and a job is made of it. Its answers are two files, one of
them with the requests that failed. The job's metadata and the file's name hold our own name of the job.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, ClassVar, Literal

from evaluator.core.batch_jobs import Answer, BatchLimits, Job, JobStatus, unanswered
from evaluator.models.answers import mapping, part, text
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
from evaluator.models.failures import failure_from_body, failure_from_document

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.types import Batch

LIMITS = BatchLimits(requests=50_000, size=200_000_000)
ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"
METADATA = "evaluator_job"
REASONS = {"expired": EXPIRED, "cancelled": CANCELLED}
ENDED = ("completed", "failed", *REASONS)


class OpenAIBatches(CloudBatches["AsyncOpenAI"]):
    limits: ClassVar[BatchLimits] = LIMITS

    def __init__(self, session: CloudSession[AsyncOpenAI], content: Callable[[Asked], bytes]) -> None:
        super().__init__(session)
        self.content = content

    async def body_of(self, asked: Asked) -> bytes:
        return self.content(asked)

    def line(self, request_id: str, body: bytes) -> bytes:
        before = json.dumps({"custom_id": request_id, "method": "POST", "url": ENDPOINT})
        return b'%s, "body": %s}' % (before[:-1].encode(), body)

    async def upload(self, job: Job, requests: IO[bytes]) -> str:
        file = (file_name(job), requests, "application/jsonl")
        return await self.offered(lambda client: client.files.create(file=file, purpose="batch"), id_of)

    async def create(self, job: Job, requests: IO[bytes] | None) -> str:
        return await self.offered(
            lambda client: client.batches.create(
                input_file_id=job.file,
                endpoint=ENDPOINT,
                completion_window="24h",
                metadata={METADATA: job.name},
            ),
            id_of,
        )

    async def find_upload(self, job: Job) -> str:
        async def search(client: AsyncOpenAI) -> str:
            async for file in client.files.list(purpose="batch"):
                if file.filename == file_name(job) and file.bytes == job.size and file.status != "error":
                    return named(file.id)
            return ""

        return await self.found_upload(search)

    async def find(self, job: Job, others: Collection[str]) -> str:
        async def search(client: AsyncOpenAI) -> str:
            async for batch in client.batches.list(limit=100):
                if batch.input_file_id == job.file or (batch.metadata or {}).get(METADATA) == job.name:
                    return named(batch.id)
                if seconds_of(batch.created_at) < job.at - CLOCKS_DIFFER_SECONDS:
                    break  # the newest come first
            return ""

        return await self.found_job(job, search)

    async def status(self, job: Job) -> JobStatus:
        try:
            return await self.sent(lambda client: client.batches.retrieve(job.batch), status_of)
        except NotFound:
            return JobStatus("unknown")

    async def answers(self, job: Job, status: JobStatus) -> Iterator[Answer]:
        async def download(client: AsyncOpenAI) -> list[bytes]:
            return [(await client.files.content(name)).content for name in status.files]

        return await self.downloaded(job, download)

    def answer(self, line: Mapping[str, Any]) -> Answer:
        name = text(line["custom_id"])
        response, error = part(line, "response"), part(line, "error")
        if error:
            if error.get("code") == "batch_expired":
                return name, unanswered(EXPIRED)
            if error.get("code") == "batch_cancelled":
                return name, unanswered(CANCELLED)
            return name, self.failed(self.session.error(failure_from_document(500, {}, {"error": error})))
        status, body = response.get("status_code"), mapping(response.get("body"))
        if status == 200:
            return name, self.reply(body)
        # Status 0 was seen where the provider gave up.
        status = status if isinstance(status, int) and 400 <= status < 600 else 500
        return name, self.failed(self.session.error(failure_from_body(status, {}, json.dumps(body))))

    async def forget(self, job: Job) -> None:
        await self.sent(lambda client: client.files.delete(job.file))


def file_name(job: Job) -> str:
    return f"{job.name}.jsonl"


def id_of(made: Any) -> str:
    return named(made.id)


def status_of(batch: Batch) -> JobStatus:
    """What a job is. Raises ValueError for an answer without a state."""
    counts, state = batch.request_counts, text(batch.status)
    answered = counts.completed + counts.failed if counts else None
    if state not in ENDED:
        return JobStatus("running", answered)
    files = tuple(text(name) for name in (batch.output_file_id, batch.error_file_id) if name)
    if state == "failed" and not files:
        errors = (batch.errors.data if batch.errors else None) or []
        reasons = "; ".join(f"{error.code or ''}: {error.message or ''}" for error in errors[:3])
        is_full = any(error.code == "token_limit_exceeded" for error in errors)
        return JobStatus("refused", reason=reasons or "it gives no reason", queue_is_full=is_full)
    return JobStatus("ended", answered, REASONS.get(state, ""), files)
