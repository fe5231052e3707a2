"""The batch interfaces of OpenAI, Anthropic and Gemini, as a part of the server of the tests.

The formats follow developers.openai.com/api/docs/guides/batch, ai.google.dev/api/batch-api and
platform.claude.com/docs/en/api/messages/batches. A job is done, and paid for, as soon as it is made. How long
it seems to run and how it ends is what the fields of `BatchServer` say when it is made.
"""

from __future__ import annotations

import json
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from tests.wire_formats import (
    DROP,
    Answer,
    caption_of,
    complaint_of,
    document,
    error,
    judged_caption,
    picture_in,
    verdict_on,
)

PAGE = 2  # of a list, so that each has several
HEADERS = {"anthropic-version": "2023-06-01"}  # which a request inside a job does not have


@dataclass
class Job:
    """One job; `name` is the client's own, which Anthropic does not keep."""

    id: str
    provider: str
    requests: Mapping[str, Any]  # the bodies by their ids
    ending: str  # completed, expired, cancelled, failed, full, lost
    polls: int  # so often it still runs
    name: str = ""
    file: str = ""
    created: float = field(default_factory=time.time)
    answered: int | None = None  # so many requests have an answer; None: all


@dataclass
class BatchServer:
    """Jobs, uploads and answers. `files` are those of Gemini's Files API, which pictures share."""

    files: dict[str, tuple[str, bytes]]
    jobs: dict[str, Job] = field(default_factory=dict)
    uploads: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # OpenAI's: name and content by id
    names: dict[str, str] = field(default_factory=dict)  # the display names of Gemini's files
    paid: Counter[str] = field(default_factory=Counter)  # by caption: how often it was answered in a job
    calls: list[str] = field(default_factory=list)  # such as "POST /v1/batches"
    bodies: list[Any] = field(default_factory=list)  # of all requests inside jobs
    # How jobs that are made from now on behave.
    endings: deque[str] = field(default_factory=deque)  # of the next jobs; then all are completed
    polls: int = 0
    answered: int | None = None
    by_caption: dict[str, Answer] = field(default_factory=dict)  # what a request gets instead of a caption
    complaint: Callable[[Any], str] = lambda body: ""  # why the body of a request is rejected, at no cost
    judge: Callable[[str], str] = verdict_on
    wrap: Callable[[list[Any]], list[Any]] = lambda lines: lines  # the lines of all files of answers
    scripted: deque[tuple[str, Answer]] = field(default_factory=deque)  # (part of a call, its answer)
    lost: deque[str] = field(default_factory=deque)  # parts of calls that are carried out, and not answered

    def answer(
        self, provider: str, method: str, path: str, query: str, headers: Mapping[str, str], data: bytes
    ) -> Answer:
        call = f"{method} {path}"
        self.calls.append(call)
        if self.scripted and self.scripted[0][0] in call:
            return self.scripted.popleft()[1]
        options = dict(re.findall(r"(\w+)=([^&]*)", query))
        found = getattr(self, provider)(method, path, options, headers, data)
        if self.lost and self.lost[0] in call:
            self.lost.popleft()
            return DROP
        return found if isinstance(found, Answer) else Answer(body=found)

    # --- OpenAI ----------------------------------------------------------------------------------------

    def openai(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], data: bytes
    ) -> Any:
        match (method, *path.removeprefix("/v1/").split("/")):
            case ("POST", "files"):
                head = b"Content-Type: " + headers["content-type"].encode() + b"\r\n\r\n"
                parts = {
                    part.get_param("name", header="content-disposition"): part
                    for part in BytesParser(policy=HTTP).parsebytes(head + data).iter_parts()  # type: ignore[attr-defined]
                }
                assert parts["purpose"].get_payload() == "batch"
                name, made = parts["file"].get_filename(), f"file-{len(self.uploads)}"
                self.uploads[made] = (name, parts["file"].get_payload(decode=True))
                return self.upload(made)
            case ("GET", "files"):
                assert query["purpose"] == "batch"
                return {"object": "list", **self.page(list(self.uploads), self.upload, query.get("after"))}
            case ("GET", "files", name, "content"):
                return Answer(body=self.uploads[name][1], content_type="application/octet-stream")
            case ("DELETE", "files", name):
                del self.uploads[name]
                return {"id": name, "object": "file", "deleted": True}
            case ("POST", "batches"):
                asked = json.loads(data)
                if asked["input_file_id"] not in self.uploads:
                    return error(
                        "openai", 400, "invalid_request_error", "no such file", param="input_file_id"
                    )
                assert (asked["endpoint"], asked["completion_window"]) == ("/v1/chat/completions", "24h")
                lines = [json.loads(line) for line in self.uploads[asked["input_file_id"]][1].splitlines()]
                assert {(line["method"], line["url"]) for line in lines} == {("POST", asked["endpoint"])}
                requests = {line["custom_id"]: line["body"] for line in lines}
                name = asked["metadata"]["evaluator_job"]
                return self.openai_batch(self.make("openai", requests, name, asked["input_file_id"]).id)
            case ("GET", "batches"):
                return {
                    "object": "list",
                    **self.page(self.newest("openai"), self.openai_batch, query.get("after")),
                }
            case ("GET", "batches", name) if name in self.jobs and self.jobs[name].ending != "lost":
                return self.openai_batch(name, poll=True)
        return error("openai", 404, "not_found", f"no {path}")

    def upload(self, name: str) -> dict[str, Any]:
        file, content = self.uploads[name]
        more = {"created_at": int(time.time()), "purpose": "batch", "status": "processed"}
        return {"id": name, "object": "file", "bytes": len(content), "filename": file, **more}

    def openai_batch(self, name: str, poll: bool = False) -> dict[str, Any]:
        job = self.jobs[name]
        status = (
            {"full": "failed"}.get(job.ending, job.ending) if self.has_ended(job, poll) else "in_progress"
        )
        found: dict[str, Any] = {
            "id": name,
            "object": "batch",
            "endpoint": "/v1/chat/completions",
            "input_file_id": job.file,
            "completion_window": "24h",
            "status": status,
            "created_at": int(job.created),
            "metadata": {"evaluator_job": job.name},
            "request_counts": {"total": len(job.requests), "completed": 0, "failed": 0},
        }
        if job.ending in ("failed", "full"):
            code = "token_limit_exceeded" if job.ending == "full" else "invalid_json_line"
            return found | {
                "errors": {"object": "list", "data": [{"code": code, "message": "it is refused"}]}
            }
        if status != "in_progress":
            good: list[Any] = []
            bad: list[Any] = []
            for custom_id, answer in self.results(job):
                line: dict[str, Any] = {
                    "id": f"batch_req_{custom_id}",
                    "custom_id": custom_id,
                    "response": None,
                }
                if answer is None:
                    code = f"batch_{job.ending}"
                    bad.append({**line, "error": {"code": code, "message": "it was not executed"}})
                    continue
                response = {"status_code": answer.status, "request_id": custom_id, "body": answer.body}
                (good if answer.status == 200 else bad).append({**line, "response": response, "error": None})
            for kind, lines in (("output", good), ("error", bad)):
                if lines:
                    self.uploads[f"{kind}-{name}"] = (f"{kind}.jsonl", self.file_of(lines))
                    found[f"{kind}_file_id"] = f"{kind}-{name}"
        return found

    # --- Anthropic -------------------------------------------------------------------------------------

    def anthropic(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], data: bytes
    ) -> Any:
        match (method, *path.removeprefix("/v1/messages/").split("/")):
            case ("POST", "batches"):
                asked = json.loads(data)["requests"]
                assert all(re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", each["custom_id"]) for each in asked)
                requests = {each["custom_id"]: each["params"] for each in asked}
                return self.anthropic_batch(self.make("anthropic", requests).id)
            case ("GET", "batches"):
                found = self.page(self.newest("anthropic"), self.anthropic_batch, query.get("after_id"))
                return {**found, "last_id": found["data"][-1]["id"] if found["data"] else None}
            case ("GET", "batches", name) if name in self.jobs and self.jobs[name].ending != "lost":
                return self.anthropic_batch(name, poll=True)
            case ("GET", "batches", name, "results"):
                lines = []
                for custom_id, answer in self.results(job := self.jobs[name]):
                    if answer is None:
                        result = {"type": "expired" if job.ending == "expired" else "canceled"}
                    elif answer.status == 200:
                        result = {"type": "succeeded", "message": answer.body}
                    else:
                        result = {"type": "errored", "error": answer.body}
                    lines.append({"custom_id": custom_id, "result": result})
                return Answer(body=self.file_of(lines), content_type="application/binary")
        return error("anthropic", 404, "not_found_error", f"no {path}")

    def anthropic_batch(self, name: str, poll: bool = False) -> dict[str, Any]:
        job = self.jobs[name]
        ended = self.has_ended(job, poll)
        counts = dict.fromkeys(("processing", "succeeded", "errored", "canceled", "expired"), 0)
        counts["succeeded" if ended else "processing"] = len(job.requests)
        made = datetime.fromtimestamp(job.created, UTC).isoformat()
        return {
            "id": name,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": counts,
            "created_at": made,
            "expires_at": made,
            "results_url": f"https://elsewhere.example/v1/messages/batches/{name}/results" if ended else None,
        }

    # --- Gemini ----------------------------------------------------------------------------------------

    def gemini(
        self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], data: bytes
    ) -> Any:
        path = re.sub(r"^/v1(beta)?/", "", path)
        if method == "POST" and path.endswith(":batchGenerateContent"):
            asked = json.loads(data)["batch"]
            name = asked["inputConfig"]["fileName"].removeprefix("files/")
            if name not in self.files:
                return error("gemini", 404, "NOT_FOUND")
            lines = [json.loads(line) for line in self.files[name][1].splitlines()]
            requests = {line["key"]: line["request"] for line in lines}
            return self.gemini_batch(self.make("gemini", requests, asked["displayName"], name).id)
        match (method, *path.split("/")):
            case ("GET", "batches"):
                found = self.page(self.newest("gemini"), self.gemini_batch, query.get("pageToken"))
                return {"operations": found["data"], **next_token(found)}
            case ("GET", "files"):
                found = self.page(list(self.files), self.gemini_file, query.get("pageToken"))
                return {"files": found["data"], **next_token(found)}
            case ("GET", "files", name) if name.endswith(":download"):
                return Answer(body=self.files[name.removesuffix(":download")][1], content_type="text/plain")
            case ("GET", "batches", name) if name in self.jobs and self.jobs[name].ending != "lost":
                return self.gemini_batch(name, poll=True)
        return error("gemini", 404, "NOT_FOUND")

    def gemini_file(self, name: str) -> dict[str, Any]:
        kind, content = self.files[name]
        size = str(len(content))
        named = {"displayName": self.names[name]} if name in self.names else {}
        return {"name": f"files/{name}", "mimeType": kind, "sizeBytes": size, "state": "ACTIVE", **named}

    def gemini_batch(self, name: str, poll: bool = False) -> dict[str, Any]:
        job = self.jobs[name]
        ended = self.has_ended(job, poll)
        words = {"completed": "SUCCEEDED", "cancelled": "CANCELLED", "full": "FAILED", "lost": "RUNNING"}
        word = words.get(job.ending, job.ending.upper())
        metadata: dict[str, Any] = {
            "@type": "type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch",
            "displayName": job.name,
            "state": f"BATCH_STATE_{word if ended else 'RUNNING'}",
            "createTime": datetime.fromtimestamp(job.created, UTC).isoformat(),
            "model": "models/gemini-test",
        }
        if ended and job.ending == "completed":
            lines = []
            for key, answer in self.results(job):
                assert answer is not None
                kind = "response" if answer.status == 200 else "error"
                lines.append({"key": key, kind: answer.body if kind == "response" else answer.body["error"]})
            self.files[f"batch-{name}"] = ("text/plain", self.file_of(lines))
            metadata["output"] = {"responsesFile": f"files/batch-{name}"}
        return {"name": f"batches/{name}", "done": ended, "metadata": metadata}

    # --- all -------------------------------------------------------------------------------------------

    def make(self, provider: str, requests: Mapping[str, Any], name: str = "", file: str = "") -> Job:
        ending = self.endings.popleft() if self.endings else "completed"
        made = Job(
            f"{provider}b{len(self.jobs)}",
            provider,
            requests,
            ending,
            self.polls,
            name,
            file,
            answered=self.answered,
        )
        self.jobs[made.id] = made
        self.bodies += requests.values()
        if ending not in ("failed", "full"):
            bodies = [body for body in list(requests.values())[: self.answered] if not self.complaint(body)]
            self.paid.update(name_of(provider, body, self.files) for body in bodies)
        return made

    def results(self, job: Job) -> list[tuple[str, Answer | None]]:
        """What each request got, None for none; in another order than they were sent."""
        most = len(job.requests) if job.answered is None else job.answered
        if job.ending not in ("expired", "cancelled"):
            most = len(job.requests)
        found = [
            (custom_id, self.result(job.provider, body) if position < most else None)
            for position, (custom_id, body) in enumerate(job.requests.items())
        ]
        return found[::-1]

    def result(self, provider: str, body: Any) -> Answer:
        if complaint := self.complaint(body) or complaint_of(provider, body, HEADERS):
            return error(provider, 400, "invalid_request_error", complaint)
        name = name_of(provider, body, self.files)
        if name in self.by_caption:
            return self.by_caption[name]
        return Answer(body=document(provider, self.judge(name) if judged_caption(body) is not None else name))

    def has_ended(self, job: Job, poll: bool) -> bool:
        if job.polls > 0 and poll:
            job.polls -= 1
            return False
        return job.polls == 0

    def newest(self, provider: str) -> list[str]:
        return [job.id for job in reversed(self.jobs.values()) if job.provider == provider]

    def page(self, names: list[str], show: Callable[[str], Any], after: str | None) -> dict[str, Any]:
        start = names.index(after) + 1 if after else 0
        return {"data": list(map(show, names[start : start + PAGE])), "has_more": len(names) > start + PAGE}

    def file_of(self, lines: list[Any]) -> bytes:
        texts = (line if isinstance(line, str) else json.dumps(line) for line in self.wrap(lines))
        return "".join(f"{text}\n" for text in texts).encode()


def next_token(page: Mapping[str, Any]) -> dict[str, str]:
    """Where Google's next page begins."""
    return {"nextPageToken": page["data"][-1]["name"].partition("/")[2]} if page["has_more"] else {}


def name_of(provider: str, body: Any, files: Mapping[str, tuple[str, bytes]]) -> str:
    """The caption that a request is answered with, or the caption that a judge is asked about."""
    judged = judged_caption(body)
    return judged if judged is not None else caption_of(picture_in(provider, body, files))


def provider_of_batch(path: str, headers: Mapping[str, str]) -> str | None:
    """The batch interface that a request is for, told from its path and key."""
    if path.startswith("/v1/messages/batches"):
        return "anthropic"
    if headers.get("authorization", "").startswith("Bearer ") and re.match(r"/v1/(batches|files)(/|$)", path):
        return "openai"
    is_batch = re.fullmatch(
        r"/v1(beta)?/(batches(/[^/:]+)?|files|files/[^/]+:download|models/.*:batchGen.*)", path
    )
    return "gemini" if is_batch else None
