"""What is appended to a run folder while captions are made: captions, requests and jobs, each in a file.

A line is there when `record` returns, whatever happens to the process afterwards. A line that could be
written only in part takes no other one with it: the next line begins with a line break.
"""

from __future__ import annotations

import errno
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from evaluator.core import Caption, DeviceUse, Reply
from evaluator.core.batch_jobs import Job, JobState, OpenRequest
from evaluator.core.errors import StoreError
from evaluator.core.secrets import caption_without_secrets, known_secrets
from evaluator.files.json_bytes import encode_json
from evaluator.files.regular_file import open_regular_file
from evaluator.store import job_log, request_log
from evaluator.store.attempts import Attempts, read_attempts
from evaluator.store.counts import known_sum
from evaluator.store.formats import caption_to_json
from evaluator.store.request_log import RequestLine
from evaluator.store.run_files import FolderFiles
from evaluator.store.run_folders import LOCK

# Who only looks whether a folder is locked holds its lock for a moment.
PATIENCE_SECONDS = 0.2
# What the lines about one request take at most, but for very long answers.
RESERVED_BYTES_PER_REQUEST = 2048
DISK_IS_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """A run folder that cannot be written becomes a StoreError that says what to do."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot write to {path}: {error.strerror}. Every caption written so far is kept; "
            "free the disk or correct its permissions and type the same command again"
        ) from error


class AppendedFile:
    """A file of lines, open without a buffer. Raises OSError where it cannot be written."""

    def __init__(self, path: Path) -> None:
        descriptor = open_regular_file(path, os.O_RDWR | os.O_APPEND | os.O_CREAT)
        self.file: BinaryIO = os.fdopen(descriptor, "a+b", buffering=0)
        self._is_torn = self._lacks_a_line_break()

    def _lacks_a_line_break(self) -> bool:
        """Whether a killed process left a line without its end."""
        if not self.file.seek(0, os.SEEK_END):
            return False
        self.file.seek(-1, os.SEEK_END)
        return self.file.read(1) != b"\n"

    def append(self, line: bytes) -> None:
        rest = b"\n" + line if self._is_torn else line
        self._is_torn = True
        while rest:  # a short write means a full disk: the next one raises
            rest = rest[self.file.write(rest) :]
        self._is_torn = False

    def close(self) -> None:
        with self.file:
            os.fsync(self.file.fileno())


@contextmanager
def locked(folder: Path, otherwise: str) -> Iterator[None]:
    """The folder, created where it is missing, for one process at a time.

    Raises StoreError where another one has it: wait, or do what `otherwise` says. A lock of a killed process
    is free again.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(folder / LOCK)
    with writing_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        # No link, whose target the lock would empty, and no pipe.
        os.close(open_regular_file(folder / LOCK, os.O_RDWR | os.O_CREAT))
        try:
            lock.acquire(timeout=PATIENCE_SECONDS, poll_interval=0.02)
        except Timeout:
            raise StoreError(f"another process is writing to {folder}. Wait for it, or {otherwise}") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def ledger_within(folder: Path, name: str = "captions.jsonl") -> Iterator[Ledger]:
    """The ledger in a folder of a run folder, or beside run folders, for one process at a time.

    The folder is created where it is missing. Raises StoreError.
    """
    for path in (folder.parent, folder):
        if path.is_symlink():  # of a run folder that may be somebody else's
            raise StoreError(f"{path} is a link. Replace it by a folder, or delete it")
    with locked(folder, "type the same command again later"):
        ledger = Ledger(folder, read_attempts(FolderFiles(folder), name), name)
        try:
            yield ledger
        finally:
            ledger.close()


class Ledger:
    """captions.jsonl, requests.jsonl and batches.jsonl, open for appending; `before` is what they held when
    opened.

    `name` is that of the first file, which may hold answers to other questions.
    """

    def __init__(self, path: Path, before: Attempts, name: str = "captions.jsonl") -> None:
        self.before = before
        self._path = path
        self._secrets = known_secrets()  # an answer or an error of one's own captioner may hold a key
        self._recorded: list[Caption] = []
        self._uses: dict[int, DeviceUse] = {}
        self._unsettled = dict(before.unsettled)
        self._last_request = before.last_request
        self._dearest_usd = max(map(usd_per_request, before.captions.values()), default=0.0)
        self._jobs = dict(before.jobs)
        self._in_jobs = {line.item_id: line.job for line in before.unsettled.values() if line.job}
        self._requests: AppendedFile | None = None
        self._job_log: AppendedFile | None = None
        self._reserve: BinaryIO | None = None
        self._is_full = False
        with writing_to(path):
            self.captions = AppendedFile(path / name)

    def record(self, caption: Caption) -> None:
        """Append the caption durably, on a full disk in the space that `reserve` keeps for it."""
        caption = caption_without_secrets(caption, self._secrets)
        line = encode_json(caption_to_json(caption)) + b"\n"
        with writing_to(self._path):
            try:
                self.captions.append(line)
            except OSError as error:
                if not self._free_the_reserve(error):
                    raise
                self.captions.append(line)
        self._recorded.append(caption)
        self._dearest_usd = max(self._dearest_usd, usd_per_request(caption))
        for request in caption.requests:
            self._leave_job(request)
            self._unsettled.pop(request, None)

    @property
    def attempts(self) -> Attempts:
        """What the files hold now."""
        costs = [caption.cost_usd for caption in self._recorded]
        captions = {**self.before.captions, **{caption.item_id: caption for caption in self._recorded}}
        answered_usd = known_sum([*costs, self.before.answered_usd])
        return Attempts(captions, answered_usd, self._unsettled, self._last_request, self._jobs)

    @property
    def uses(self) -> tuple[DeviceUse, ...]:
        """What the model has taken of each device; the manifest keeps it."""
        return tuple(self._uses.values())

    def used(self, worker: int, use: DeviceUse) -> None:
        self._uses[worker] = use

    @property
    def dearest_usd(self) -> float:
        return self._dearest_usd

    def reserve(self, requests: int) -> None:
        """Keep space for the answers of so many requests. Raises StoreError where the disk is full."""
        with writing_to(self._path):
            self._reserve = self._reserve or reserved(self._path, requests * RESERVED_BYTES_PER_REQUEST)

    def sent(self, item_id: str, most_usd: float | None, job: str = "", key: str = "") -> int:
        """Append what is about to be sent. Raises StoreError where the answer might not be recorded, and
        where a job has the item: it would be paid for twice.
        """
        if item_id in self._in_jobs:
            raise StoreError(
                f"{self._path}: {len(self._in_jobs):,} requests, such as that for {item_id!r}, are in batch "
                "jobs that have not been collected. Type the same command with runner=batch"
            )
        with writing_to(self._path):
            if self._is_full:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            self._last_request += 1
            number, now = self._last_request, round(time.time(), 3)
            self._append_request(RequestLine(number, item_id, most_usd, now, job=job, key=key))
        if job:
            self._in_jobs[item_id] = job
        return number

    def ended(self, request: int, error: str, cost_usd: float | None, reply: Reply | None) -> None:
        tokens = (reply.input_tokens, reply.output_tokens) if reply else (None, None)
        error = self._secrets.scrubbed(error)
        line = RequestLine(request, "", None, None, error, cost_usd, *tokens)
        self._leave_job(request)
        with suppress(OSError):  # the first line of this request counts, with the most that it can cost
            self._append_request(line)

    @property
    def jobs(self) -> Mapping[str, Job]:
        return self._jobs

    @property
    def unnoted_jobs(self) -> set[str]:
        return set(self._in_jobs.values()) - self._jobs.keys()

    def open_requests(self, job: str) -> dict[int, OpenRequest]:
        return {
            number: OpenRequest(line.item_id, line.key, line.most_usd)
            for number, line in self._unsettled.items()
            if line.job == job
        }

    def note(self, job: Job) -> None:
        with writing_to(self._path):
            if self._job_log is None:
                self._job_log = AppendedFile(self._path / job_log.NAME)
            self._job_log.append(encode_json(job_log.job_to_json(job)) + b"\n")
        self._jobs[job.name] = job
        if job.state is JobState.ENDED:
            del self._jobs[job.name]

    def close(self) -> None:
        with writing_to(self._path):
            if self._reserve:
                self._reserve.close()
            for file in (self._requests, self._job_log, self.captions):
                if file:
                    file.close()

    def _leave_job(self, request: int) -> None:
        """The request has its outcome, so that its item may be asked about again."""
        if line := self._unsettled.get(request):
            self._in_jobs.pop(line.item_id, None)

    def _append_request(self, line: RequestLine) -> None:
        if self._requests is None:
            self._requests = AppendedFile(self._path / request_log.NAME)
        self._requests.append(encode_json(line.document) + b"\n")
        self._unsettled[line.request] = line

    def _free_the_reserve(self, error: OSError) -> bool:
        """Whether there was space to free; from now on nothing may be sent."""
        if error.errno not in DISK_IS_FULL or self._reserve is None:
            return False
        self._reserve.close()
        self._reserve, self._is_full = None, True
        return True


def reserved(folder: Path, size: int) -> BinaryIO:
    """A file without a name that takes `size` bytes of the disk until it is closed."""
    file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115  (it is kept)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.write(bytes(size))
    except OSError as error:
        if error.errno in DISK_IS_FULL:
            file.close()
            raise
    return file


def usd_per_request(caption: Caption) -> float:
    """What a request for the caption cost on average."""
    return (caption.cost_usd or 0.0) / max(1, len(caption.requests))
