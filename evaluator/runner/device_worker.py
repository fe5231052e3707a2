"""A process that captions on one device for the process that keeps the run folder.

It asks for items when it has use for some, and sends the captions of each batch. What it logs, the other
process logs.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import accumulate, chain
from multiprocessing.connection import Connection

from evaluator.core import Caption, Captioner, DeviceUse, Item, Prompt, RemoteSession
from evaluator.core.cpus import SHARED_BY
from evaluator.core.errors import EvaluatorError, ModelError
from evaluator.runner.device_meter import DeviceMeter
from evaluator.runner.local import Batches


@dataclass(frozen=True)
class Loaded:
    """The model is loaded."""

    seconds: float


@dataclass(frozen=True)
class Wants:
    """The worker has use for so many more items."""

    number: int


@dataclass(frozen=True)
class Captioned:
    """A batch is done."""

    captions: list[Caption]
    use: DeviceUse | None  # so far


@dataclass(frozen=True)
class Failed:
    """The worker cannot continue, and no other could."""

    reason: str


Message = Loaded | Wants | Captioned | Failed | logging.LogRecord


class Sender(logging.Handler):
    """Sends messages and log records; several threads may log."""

    def __init__(self, connection: Connection) -> None:
        super().__init__()
        self._connection = connection
        self._lock = threading.Lock()

    def send(self, message: Message) -> None:
        with self._lock:
            self._connection.send(message)

    def emit(self, record: logging.LogRecord) -> None:
        record.msg, record.args = self.format(record), None  # with the traceback, which cannot be sent
        record.exc_info = record.exc_text = None
        with suppress(OSError):
            self.send(record)


def work(
    connection: Connection, captioner: Captioner, prompt: Prompt, batches: Batches, sharers: int, level: int
) -> None:
    """Caption what the other process sends until it has no more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the other process decides what Ctrl-C means
    os.environ[SHARED_BY] = str(sharers)
    sender = Sender(connection)
    logger = logging.getLogger("evaluator")
    logger.handlers, logger.propagate = [sender], False
    logger.setLevel(level)
    with suppress(OSError, EOFError):  # the other process was killed
        try:
            caption_all(connection, sender, captioner, prompt, batches)
        except EvaluatorError as error:
            sender.send(Failed(str(error)))
        except Exception:  # a GPU that failed works again in another process
            logger.exception("the worker ends")
            sys.exit(1)


def caption_all(
    connection: Connection, sender: Sender, captioner: Captioner, prompt: Prompt, batches: Batches
) -> None:
    """Load the model and caption. Raises EOFError or OSError where the other process is gone."""
    meter = DeviceMeter(captioner)
    with captioner.open(prompt) as session:
        if isinstance(session, RemoteSession):
            raise ModelError("the model asks a server. Leave runner.devices out")
        sender.send(Loaded(meter.loaded()))
        size = batches.size_for(session)
        while first := next_items(connection, sender, size.now):
            later = iter(lambda: next_items(connection, sender, size.now), [])
            for captions in batches.captions(session, chain(first, chain.from_iterable(later)), size):
                sender.send(Captioned(with_times(captions, time.time()), meter.use(session)))


def next_items(connection: Connection, sender: Sender, number: int) -> list[Item]:
    """Ask for items; none means that those that are here should be captioned now."""
    sender.send(Wants(number))
    items: list[Item] = connection.recv()
    return items


def with_times(captions: Sequence[Caption], now: float) -> list[Caption]:
    """Captions of a batch that ends now, each with the end of its share of the batch's time.

    So that the speed of several devices is that of the time during which at least one was at work.
    """
    ends = accumulate((caption.seconds for caption in reversed(captions)), initial=0.0)
    timed = [
        replace(caption, answered_at=round(now - after, 6))
        for caption, after in zip(reversed(captions), ends, strict=False)
    ]
    return timed[::-1]
