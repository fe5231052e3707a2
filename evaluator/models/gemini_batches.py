"""Gemini's batch interface (ai.google.dev/gemini-api/docs/batch-api).

The requests are uploaded as a file of JSON lines, and a job is made of it. Its answers are a file, too. File
and job have a display name, which holds our own name of the job. Making a job twice makes two jobs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any, ClassVar

from evaluator.core.batch_jobs import Answer, BatchLimits, Job, JobStatus
from evaluator.models.answers import number, part, text
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
    from httpx2 import AsyncClient

# The provider takes a file of 2 GB. It names no number of requests.
LIMITS = BatchLimits(requests=50_000, size=1_000_000_000)
REASONS = {
    "JOB_STATE_EXPIRED": EXPIRED,
    "JOB_STATE_CANCELLED": CANCELLED,
    "JOB_STATE_FAILED": "was not answered, because its job failed",
}
ENDED = ("JOB_STATE_SUCCEEDED", "JOB_STATE_PARTIALLY_SUCCEEDED", *REASONS)
# What google.rpc.Code means as a status (google/rpc/code.proto).
STATUSES = {3: 400, 5: 404, 7: 403, 8: 429, 9: 400, 13: 500, 14: 503, 16: 401}

Connected = tuple[Any, "AsyncClient"]


class GeminiBatches(CloudBatches[Connected]):
    limits: ClassVar[BatchLimits] = LIMITS

    def __init__(
        self, session: CloudSession[Connected], request_body: Callable[[Asked], Awaitable[str]]
    ) -> None:
        super().__init__(session)
        self.request_body = request_body

    async def body_of(self, asked: Asked) -> bytes:
        return (await self.request_body(asked)).encode()

    def line(self, request_id: str, body: bytes) -> bytes:
        return b'{"key": "%s", "request": %s}' % (request_id.encode(), body)

    async def upload(self, job: Job, requests: IO[bytes]) -> str:
        config = {"display_name": job.name, "mime_type": "jsonl"}
        return await self.offered(
            lambda client: client[0].aio.files.upload(file=requests, config=config), name_of
        )

    async def create(self, job: Job, requests: IO[bytes] | None) -> str:
        model, config = self.session.captioner.model, {"display_name": job.name}
        return await self.offered(
            lambda client: client[0].aio.batches.create(model=model, src=job.file, config=config), name_of
        )

    async def find_upload(self, job: Job) -> str:
        async def search(client: Connected) -> str:
            async for file in await client[0].aio.files.list(config={"page_size": 100}):
                if file.display_name == job.name and file.size_bytes == job.size:
                    return named(file.name)
            return ""

        return await self.found_upload(search)

    async def find(self, job: Job, others: Collection[str]) -> str:
        async def search(client: Connected) -> str:
            async for batch in await client[0].aio.batches.list(config={"page_size": 100}):
                if batch.display_name == job.name:
                    return named(batch.name)
                if seconds_of(batch.create_time) < job.at - CLOCKS_DIFFER_SECONDS:
                    break  # the newest come first
            return ""

        return await self.found_job(job, search)

    async def status(self, job: Job) -> JobStatus:
        try:
            return await self.sent(lambda client: client[0].aio.batches.get(name=job.batch), status_of)
        except NotFound:
            return JobStatus("unknown")

    async def answers(self, job: Job, status: JobStatus) -> Iterator[Answer]:
        async def download(client: Connected) -> list[bytes]:
            return [await client[0].aio.files.download(file=name) for name in status.files]

        return await self.downloaded(job, download)

    def answer(self, line: Mapping[str, Any]) -> Answer:
        name = text(line["key"])
        if "response" in line:
            return name, self.reply(line["response"])
        error = part(line, "error") or part(line, "status")
        if not error:
            raise ValueError(f"neither a response nor an error: {sorted(line)}")
        code = number(error.get("code")) or 13
        status = code if code >= 400 else STATUSES.get(code, 500)
        return name, self.failed(self.session.error(failure_from_document(status, {}, {"error": error})))

    async def forget(self, job: Job) -> None:
        await self.sent(lambda client: client[0].aio.files.delete(name=job.file))


def name_of(made: Any) -> str:
    return named(made.name)


def status_of(batch: Any) -> JobStatus:
    state = str(getattr(batch.state, "value", batch.state))
    if state not in ENDED:
        return JobStatus("running")
    name = batch.dest.file_name if batch.dest else None
    return JobStatus(
        "ended", reason=REASONS.get(state, ""), files=(name,) if name else (), rest_is_free=False
    )
