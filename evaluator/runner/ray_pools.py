"""The pools of processes that caption a run's images on a Ray cluster, and what becomes of those that die.

Ray starts a process that died again and gives it its work once more. What kills its process each time is set
aside, and is captioned at the end, each image alone: what kills its process then is an error of that image.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from evaluator.core import Caption, DeviceUse, Item, Outcome, PreparesElsewhere
from evaluator.core.errors import ModelError
from evaluator.runner.local import WINDOW
from evaluator.runner.ray_workers import (
    Answer,
    Broken,
    Captioning,
    Preparing,
    Unusable,
    Used,
    Work,
    table_of,
    values_of,
)

logger = logging.getLogger(__name__)

RETRIES = 1  # of a task whose process died: with none, a spot instance would cost batches
TASKS_AHEAD = 2  # that a process has in hand
DEATHS = 3  # tasks that may be lost before it is looked whether anything succeeds


@dataclass(frozen=True)
class Pools:
    """How many processes there are of each kind, fewest and most, and what each takes of the cluster."""

    actors: tuple[int, int]
    cpus: float
    gpus: float
    preparing: tuple[int, int]

    def __str__(self) -> str:
        parts = [f"{self.cpus:g} CPU"] + ([f"{self.gpus:g} GPU"] if self.gpus else [])
        actors, preparing = map(range_of, (self.actors, self.preparing))
        return f"{actors} process(es) with the model, {' and '.join(parts)} each; {preparing} for pictures"

    def images_per_task(self, images: int, batch_size: int) -> int:
        """Enough for batches of one shape, and few enough that all processes end at about the same time."""
        return max(1, min(WINDOW * batch_size, images // (2 * self.actors[1])))

    def dataset(self, work: Work, parts: Sequence[Sequence[Item]], is_alone: bool) -> Any:
        """Ray's data set of the answers to these parts, each of which is one task."""
        import ray.data

        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False
        context.print_on_execution_start = False
        context.max_errored_blocks = DEATHS
        items = ray.data.from_arrow([table_of(part) for part in parts])
        if isinstance(work.captioner, PreparesElsewhere):
            items = self._mapped(items, Preparing, work, self.preparing, is_alone, num_cpus=1)
        return self._mapped(
            items, Captioning, work, self.actors, is_alone, num_cpus=self.cpus, num_gpus=self.gpus
        )

    @staticmethod
    def _mapped(
        rows: Any, process: type, work: Work, number: tuple[int, int], is_alone: bool, **takes: float
    ) -> Any:
        """The rows that a pool of processes makes of these rows."""
        from ray.data import ActorPoolStrategy

        # A task that waits behind one that kills the process would die with it.
        ahead = 1 if is_alone else TASKS_AHEAD
        with warnings.catch_warnings():  # Ray 2.64 drops the number of retries; pyproject.toml excludes it
            warnings.simplefilter("ignore")
            return rows.map_batches(
                process,
                fn_constructor_args=(work,),
                batch_size=None,
                batch_format="pyarrow",
                compute=ActorPoolStrategy(
                    min_size=number[0], max_size=number[1], max_tasks_in_flight_per_actor=ahead
                ),
                ray_remote_args_fn=lambda: {"max_restarts": -1, "max_task_retries": RETRIES},
                **takes,
            )


def range_of(number: tuple[int, int]) -> str:
    fewest, most = number
    return f"{fewest}" if fewest == most else f"{fewest} to {most}"


def captions_on_ray(
    work: Work, items: Sequence[Item], pools: Pools, used: Callable[[int, DeviceUse], None]
) -> Generator[list[Caption]]:
    """The captions of all items as they come. `used` gets what each process takes of its device.

    Raises ModelError where the model cannot be used, or its processes die whatever they caption.
    """
    waiting, suspects = list(items), list[Item]()
    processes: dict[str, int] = {}  # their numbers

    def note(answer: Used) -> None:
        used(processes.setdefault(answer.process, len(processes)), answer.use)

    while waiting:
        attempt = Attempt(work, pools, waiting, note)
        yield from attempt.captions()
        lost, waiting = attempt.left()
        if lost:
            logger.warning("%d images were lost with their processes; each is tried again alone", len(lost))
        suspects += lost
    while suspects:
        attempt = Attempt(work, pools, suspects, note, is_alone=True)
        yield from attempt.captions()
        lost, suspects = attempt.left()
        yield [Caption(item.id, Outcome.ERROR, error=attempt.reason(item)) for item in lost]


class Attempt:
    """One pass of some items through the pools, all in batches or each alone."""

    def __init__(
        self,
        work: Work,
        pools: Pools,
        items: Sequence[Item],
        note: Callable[[Used], None],
        is_alone: bool = False,
    ) -> None:
        self._note = note
        self._work, self._pools, self._items, self._is_alone = work, pools, items, is_alone
        self._done: set[str] = set()
        self._broken: dict[str, str] = {}  # the reasons by item
        self._deaths_in_a_row = 0
        self._error: Exception | None = None  # that ended the pass

    def captions(self) -> Iterator[list[Caption]]:
        """Those of the items whose processes live. Raises ModelError where the model cannot be used."""
        from ray.exceptions import RayError

        try:
            for answer in self._answers():
                match answer:
                    case Unusable():
                        raise ModelError(answer.reason)
                    case Broken():
                        self._set_aside(answer)
                    case Used():
                        self._note(answer)
                    case logging.LogRecord():
                        logging.getLogger(answer.name).handle(answer)
                    case _:
                        # A task that runs again gives captions again.
                        captions = [caption for caption in answer if caption.item_id not in self._done]
                        self._done |= {caption.item_id for caption in captions}
                        self._deaths_in_a_row = 0
                        yield captions
        except RayError as error:
            logger.debug("a pass was ended", exc_info=True)
            self._error = error
        if not self._done and (self._error or not self._is_alone):
            raise ModelError(f"the processes on the cluster die whatever they caption: {self._why()}")

    def left(self) -> tuple[list[Item], list[Item]]:
        """The items that were lost with their processes, and those whose turn did not come."""
        missing = [(index, item) for index, item in enumerate(self._items) if item.id not in self._done]
        last = len(self._items)
        if self._error:
            last = max(index for index, item in enumerate(self._items) if item.id in self._done)
        lost = [item for index, item in missing if index < last or item.id in self._broken]
        return lost, [item for index, item in missing if index >= last and item.id not in self._broken]

    def reason(self, item: Item) -> str:
        """Why an item that was captioned alone has no caption."""
        if traceback := self._broken.get(item.id):
            return f"the model failed at this image alone: {traceback.strip().splitlines()[-1]}"
        return "the process on the cluster died while it captioned this image alone"

    def _answers(self) -> Iterator[Answer]:
        size = self._pools.images_per_task(len(self._items), self._work.batch_size)
        if self._is_alone:
            size = 1
        parts = [self._items[start : start + size] for start in range(0, len(self._items), size)]
        for table in self._pools.dataset(self._work, parts, self._is_alone).iter_batches(
            batch_size=None, batch_format="pyarrow"
        ):
            yield from values_of(table)

    def _set_aside(self, broken: Broken) -> None:
        logger.warning("a process on the cluster failed; another one takes its place\n%s", broken.reason)
        self._broken |= dict.fromkeys(broken.item_ids, broken.reason)
        self._deaths_in_a_row += 1
        if self._deaths_in_a_row > DEATHS and not self._is_alone:
            raise ModelError(f"the model fails at image after image: {broken.reason}")

    def _why(self) -> str:
        return str(self._error or "each died several times").strip().splitlines()[0]
