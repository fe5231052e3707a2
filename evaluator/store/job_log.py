"""batches.jsonl: each job at a provider's batch interface, written down before and after every step.

    {"name": "evaluator-5f3a", "state": "uploading", "first_request": 1, "requests": 500, "size": 9150}
    {"name": "evaluator-5f3a", "state": "creating", "file": "file-abc", ...}
    {"name": "evaluator-5f3a", "state": "created", "file": "file-abc", "batch": "batch_abc", ...}
    {"name": "evaluator-5f3a", "state": "ended", ...}

The last line of a job counts. requests.jsonl says which requests a job holds (`job`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from evaluator.core.batch_jobs import Job, JobState

NAME = "batches.jsonl"


def job_to_json(job: Job) -> dict[str, Any]:
    """What a line says; what is not known is left out."""
    return {name: value for name, value in asdict(job).items() if value not in (0, "")}


def open_jobs(lines: Iterable[Job]) -> dict[str, Job]:
    """By name, the last line of each job that has not ended."""
    last = {job.name: job for job in lines}
    return {name: job for name, job in last.items() if job.state is not JobState.ENDED}
