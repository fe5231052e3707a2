"""One process per device: this one gives them items and gets captions, which it alone records.

A worker that dies loses only what it had in hand. Another process takes its place, and those items are tried
again, each alone: what kills a worker then is an error of that image, and of no other.
"""

from __future__ import annotations

import logging
import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess

from evaluator.core import Caption, Captioner, DeviceUse, Item, Outcome, Prompt
from evaluator.core.errors import ModelError
from evaluator.runner.device_worker import Captioned, Failed, Loaded, Message, Wants, work
from evaluator.runner.devices import on_device
from evaluator.runner.local import Batches

logger = logging.getLogger(__name__)

CONTEXT = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
DEATHS_IN_A_ROW = 3  # without a caption in between
PATIENCE_SECONDS = 5.0


@dataclass
class Worker:
    """A process on a device, and the items that it has in hand."""

    device: str
    process: SpawnProcess
    connection: Connection
    in_hand: dict[str, Item] = field(default_factory=dict)
    has_suspect: bool = False  # in hand, and gets nothing else
    wants: int = 0
    is_loaded: bool = False


def captions_of_devices(
    captioner: Captioner,
    prompt: Prompt,
    items: Sequence[Item],
    devices: Sequence[str],
    batches: Batches,
    used: Callable[[int, DeviceUse], None],
) -> Generator[list[Caption]]:
    """The captions of all items as they come, from a process on each device.

    `used` hears what each process, by its id, has taken so far.
    Raises ModelError where the model cannot be used on a device, or its processes die again and again.
    """
    # Where each worker gets several batches, the last ones end at about the same time.
    most = max(1, min(batches.most, len(items) // (2 * len(devices))))
    processes = DeviceProcesses(captioner, prompt, replace(batches, most=most), devices, used)
    try:
        for device in devices:
            processes.start(device)
        yield from processes.captions(items)
    finally:
        processes.close()


class DeviceProcesses:
    """The workers of one run, and the items that none of them has in hand."""

    def __init__(
        self,
        captioner: Captioner,
        prompt: Prompt,
        batches: Batches,
        devices: Sequence[str],
        used: Callable[[int, DeviceUse], None],
    ) -> None:
        self._captioner, self._prompt, self._batches, self._used = captioner, prompt, batches, used
        self._sharers = max(1, list(devices).count("cpu"))
        self._workers: list[Worker] = []
        self._waiting: deque[Item] = deque()
        self._suspects: deque[Item] = deque()  # in the hands of a worker when it died
        self._deaths_in_a_row = 0

    def start(self, device: str) -> None:
        ours, theirs = CONTEXT.Pipe()
        level = logging.getLogger("evaluator").getEffectiveLevel()
        captioner = on_device(self._captioner, device)
        arguments = (theirs, captioner, self._prompt, self._batches, self._sharers, level)
        process = CONTEXT.Process(target=work, args=arguments, name=device)
        process.start()
        theirs.close()  # so that ours ends when the process does
        self._workers.append(Worker(device, process, ours))

    def captions(self, items: Sequence[Item]) -> Iterator[list[Caption]]:
        self._waiting.extend(items)
        while self._waiting or self._suspects or any(worker.in_hand for worker in self._workers):
            ready = wait([worker.connection for worker in self._workers], PATIENCE_SECONDS)
            for worker in list(self._workers):
                if worker.connection in ready:
                    yield from self._handled(worker)
                elif not (worker.process.is_alive() or worker.connection.poll()):
                    yield from self._buried(worker)
            # A model that is loaded sooner must not take the work of the others.
            if all(worker.is_loaded for worker in self._workers):
                for worker in self._workers:
                    self._give(worker)

    def _handled(self, worker: Worker) -> Iterator[list[Caption]]:
        """Take the next message of a worker."""
        try:
            message: Message = worker.connection.recv()
        except (EOFError, OSError):
            yield from self._buried(worker)
            return
        match message:
            case Loaded():
                worker.is_loaded = True
                logger.info("%s: loaded in %.1f s", worker.device, message.seconds)
            case Wants():
                worker.wants = message.number
            case Captioned():
                self._deaths_in_a_row = 0
                for caption in message.captions:
                    worker.in_hand.pop(caption.item_id, None)
                worker.has_suspect = worker.has_suspect and bool(worker.in_hand)
                if message.use:
                    self._used(worker.process.pid or 0, message.use)
                yield message.captions
            case Failed():
                raise ModelError(f"{worker.device}: {message.reason}")
            case logging.LogRecord():
                message.msg = f"{worker.device}: {message.msg}"
                logging.getLogger(message.name).handle(message)

    def _give(self, worker: Worker) -> None:
        """Answer a worker that wants items; an empty answer lets it caption what it has."""
        if not worker.wants:
            return
        given: list[Item] = []
        if self._waiting and not worker.has_suspect:
            given = [self._waiting.popleft() for _ in range(min(worker.wants, len(self._waiting)))]
        elif not worker.in_hand:
            if not self._suspects:
                return  # until another worker dies, or all is done
            given, worker.has_suspect = [self._suspects.popleft()], True
        worker.wants = 0
        worker.in_hand |= {item.id: item for item in given}
        try:
            worker.connection.send(given)
        except OSError:
            logger.debug("%s died before it got items", worker.device)  # which is seen next

    def _buried(self, worker: Worker) -> Iterator[list[Caption]]:
        """Take the items of a dead worker back, and start another one."""
        worker.process.join()
        worker.connection.close()
        self._workers.remove(worker)
        self._deaths_in_a_row += 1
        how = f"the process on {worker.device} ended with exit code {worker.process.exitcode}"
        if not worker.is_loaded:
            raise ModelError(f"{how} while it loaded the model. It may need more memory than there is")
        if self._deaths_in_a_row > DEATHS_IN_A_ROW:
            raise ModelError(f"{how}, like {DEATHS_IN_A_ROW} before it. Type runner.devices={worker.device}")
        if worker.has_suspect:
            error = f"{how} while it captioned this image alone"
            yield [Caption(item_id, Outcome.ERROR, error=error) for item_id in worker.in_hand]
        else:
            self._suspects.extend(worker.in_hand.values())
        logger.warning("%s; another one takes its place", how)
        self.start(worker.device)

    def close(self) -> None:
        """End all workers: at once where they have something in hand, which nobody wants any more."""
        for worker in self._workers:
            worker.connection.close()
            if worker.in_hand or not worker.is_loaded:
                worker.process.terminate()
        for worker in self._workers:
            worker.process.join(PATIENCE_SECONDS)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
