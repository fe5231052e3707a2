"""What a run folder says of the attempts at each image: captions.jsonl, requests.jsonl and batches.jsonl."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from evaluator.core import Caption, Item
from evaluator.core.batch_jobs import Job
from evaluator.store import job_log, request_log
from evaluator.store.counts import known_sum
from evaluator.store.formats import caption_from_line, job_from_line, request_from_line
from evaluator.store.job_log import open_jobs
from evaluator.store.reading import read_appended
from evaluator.store.request_log import RequestLine, booked_usd, unsettled
from evaluator.store.run_files import RunFiles

SomeItem = TypeVar("SomeItem", bound=Item)


@dataclass(frozen=True)
class Attempts:
    """What captions.jsonl, requests.jsonl and batches.jsonl say."""

    captions: Mapping[str, Caption]  # the latest outcome of each item, in the order of the first attempts
    answered_usd: float | None = None  # of all lines, also of those that a later one replaced
    unsettled: Mapping[int, RequestLine] = field(default_factory=dict)  # requests that no line names
    last_request: int = 0  # the highest number of a request
    jobs: Mapping[str, Job] = field(default_factory=dict)  # at a batch interface, those that have not ended
    size: int = 0  # of these files in bytes, before they were read

    @property
    def cost_usd(self) -> float | None:
        """The cost of every request: of one without a caption, the most it may be. None: no cost is known."""
        return known_sum([self.answered_usd, *(line.usd for line in self.unsettled.values())])

    @property
    def unanswered(self) -> list[RequestLine]:
        """The requests that were in flight when a command was killed; those of jobs are on their way."""
        return [line for line in self.unsettled.values() if not (line.has_ended or line.job)]


def without_final_outcome(items: Iterable[SomeItem], captions: Mapping[str, Caption]) -> list[SomeItem]:
    """The items that have no final outcome yet."""
    return [item for item in items if item.id not in captions or captions[item.id].can_be_retried]


def appended_size(files: RunFiles) -> int:
    """The bytes of what captioning appends to; files that are not there have none."""
    return sum(files.size(name) for name in ("captions.jsonl", request_log.NAME, job_log.NAME))


def read_attempts(files: RunFiles, name: str = "captions.jsonl") -> Attempts:
    size = appended_size(files)
    attempts = list(read_appended(files, name, caption_from_line))
    requests = list(read_appended(files, request_log.NAME, request_from_line))
    captions = {caption.item_id: caption for caption in attempts}
    answered_usd = known_sum(booked_usd(caption.cost_usd) for caption in attempts)
    numbers = [line.request for line in requests]
    numbers += [request for caption in attempts for request in caption.requests]
    jobs = open_jobs(read_appended(files, job_log.NAME, job_from_line))
    return Attempts(
        captions, answered_usd, unsettled(requests, attempts), max(numbers, default=0), jobs, size
    )
