"""What the processes of a Ray cluster do: some prepare pictures on CPUs, others caption them.

    rows of items -> Preparing -> rows of items with their pictures -> Captioning -> rows of answers

Each is a callable class whose instance stays in its process, with the processor or the weights loaded. A row
is a pickled value, since Arrow has no types for them.
"""

from __future__ import annotations

import io
import logging
import os
import pickle
import platform
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.core import Caption, Captioner, DeviceUse, OnDevice, PreparesElsewhere, Prompt, RemoteSession
from evaluator.core.errors import CaptionError, EvaluatorError, ImageError, ModelError
from evaluator.runner.batch_size import batch_size
from evaluator.runner.device_meter import DeviceMeter
from evaluator.runner.device_worker import with_times
from evaluator.runner.devices import on_device
from evaluator.runner.local import BatchLoop
from evaluator.runner.picture_workers import THREADS, Pickler, picture_workers
from evaluator.runner.preparation import prepare_ahead, prepared_or_error

if TYPE_CHECKING:
    import pyarrow as pa

COLUMN = "pickled"


@dataclass(frozen=True)
class Work:
    """What all processes of a run get."""

    captioner: Captioner
    prompt: Prompt
    batch_size: int
    folder: Path  # of the command: relative paths begin there
    log_level: int


@dataclass(frozen=True)
class Unusable:
    """The model cannot be used, in this process or in any other."""

    reason: str


@dataclass(frozen=True)
class Broken:
    """The process failed at these images in a way that nobody foresaw; another one takes its place."""

    item_ids: tuple[str, ...]
    reason: str  # with the traceback


@dataclass(frozen=True)
class Used:
    """What the model has taken of its device so far."""

    process: str  # on which machine
    use: DeviceUse


Answer = list[Caption] | Unusable | Broken | Used | logging.LogRecord


def table_of(values: Iterable[Any]) -> pa.Table:
    """One row for each value."""
    import pyarrow as pa

    return pa.table({COLUMN: pa.array([pickled(value) for value in values], pa.large_binary())})


def values_of(table: pa.Table) -> Iterator[Any]:
    """What `table_of` was given. Processes of this run alone write these rows."""
    return (pickle.loads(row.as_buffer()) for row in table.column(COLUMN))


def pickled(value: Any) -> bytes:
    buffer = io.BytesIO()
    Pickler(buffer, pickle.HIGHEST_PROTOCOL).dump(value)
    return buffer.getvalue()


class Preparing:
    """Prepares pictures for a model whose weights are elsewhere."""

    def __init__(self, work: Work) -> None:
        begin(work)
        self._failure: EvaluatorError | None = None
        captioner = work.captioner
        if isinstance(captioner, OnDevice):
            captioner = on_device(captioner, "cpu")  # this machine may lack the model's device
        assert isinstance(captioner, PreparesElsewhere)
        try:
            self._prepare = partial(prepared_or_error, captioner.preparing(work.prompt))
        except Exception as error:  # without its process, the error would be lost
            self._failure = as_model_error(error)

    def __call__(self, items: pa.Table) -> pa.Table:
        return table_of((item, self._failure or self._prepare(item)) for item in values_of(items))


class Captioning:
    """A loaded model. It gets items, or items with pictures that others have prepared."""

    def __init__(self, work: Work) -> None:
        self._log = begin(work)
        self._unusable: Unusable | None = None
        self._is_broken = False
        self._stack = ExitStack()
        self._loop: BatchLoop
        self._gets_pictures = isinstance(work.captioner, PreparesElsewhere)
        self._meter = DeviceMeter(work.captioner)
        try:
            session = self._stack.enter_context(work.captioner.open(work.prompt))
            if isinstance(session, RemoteSession):
                raise ModelError("the model asks a server, which needs no cluster. Type runner=default")
            self._loop = BatchLoop(session, batch_size(session, work.batch_size, work.batch_size))
            logging.getLogger(__name__).info("loaded in %.1f s", self._meter.loaded())
        except Exception as error:
            self._unusable = Unusable(str(as_model_error(error)))

    def __call__(self, rows: pa.Table) -> pa.Table:
        return table_of(self._answers(list(values_of(rows))))

    def _answers(self, rows: list[Any]) -> Iterator[Answer]:
        if self._is_broken:  # what has failed, such as a GPU, may work again in another process
            os._exit(1)
        waiting = {(row[0] if self._gets_pictures else row).id for row in rows}
        try:
            for captions in self._captions(rows):
                waiting -= {caption.item_id for caption in captions}
                yield with_times(captions, time.time())
            if use := self._meter.use(self._loop.session):
                yield Used(f"{platform.node()} {os.getpid()}", use)
        except EvaluatorError as error:
            yield Unusable(str(error))
        except Exception:
            self._is_broken = True
            yield Broken(tuple(waiting), traceback.format_exc())
        yield from self._log.taken()

    def _captions(self, rows: list[Any]) -> Iterator[list[Caption]]:
        if self._unusable:
            raise ModelError(self._unusable.reason)
        if self._gets_pictures:
            for _, picture in rows:
                if isinstance(picture, EvaluatorError) and not isinstance(picture, ImageError | CaptionError):
                    raise picture
            yield from self._loop.captions(iter(rows))
            return
        prepare = partial(prepared_or_error, self._loop.session.prepare)
        with picture_workers(prepare, THREADS, "threads") as threads:
            yield from self._loop.captions(prepare_ahead(threads, rows, lambda: 2 * self._loop.size.now))


class Log(logging.Handler):
    """Keeps what is logged until the next answer takes it to the command."""

    def __init__(self) -> None:
        super().__init__()
        self._records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = self.format(record), None  # with the traceback, which cannot be sent
        record.exc_info = record.exc_text = None
        self._records.append(record)

    def taken(self) -> list[logging.LogRecord]:
        taken, self._records = self._records, []
        return taken


def begin(work: Work) -> Log:
    """What a process does first. The command shows what is logged."""
    with suppress(OSError):  # a machine may lack the folder, and the work may not need it
        os.chdir(work.folder)
    log, logger = Log(), logging.getLogger("evaluator")
    logger.handlers, logger.propagate = [log], False
    logger.setLevel(work.log_level)
    return log


def as_model_error(error: Exception) -> EvaluatorError:
    """The error as one that stops the run."""
    if isinstance(error, EvaluatorError):
        return error if isinstance(error, ModelError) else ModelError(str(error))
    return ModelError(f"{type(error).__name__}: {error}")
