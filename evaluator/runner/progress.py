"""What a person sees while captions are made: a bar with rate and time left, or plain lines in a log.

Both say how many failed and in which way, how many came from the cache, and what it has cost so far.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn
from rich.progress import TimeRemainingColumn as TimeLeft
from rich.text import Text

from evaluator.core import Caption, Outcome

logger = logging.getLogger(__name__)

LOG_SECONDS = 10.0


@contextmanager
def progress(total: int) -> Iterator[Callable[[Caption], None]]:
    """A function to call with each caption: moves a bar on a terminal, elsewhere logs a line now and then."""
    console = Console(stderr=True)
    with bar(total, console) if console.is_terminal else log_lines(total) as advance:
        yield advance


class RateColumn(ProgressColumn):
    """Captions a second over the last half minute or so."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f} images/s" if task.speed else "", style="progress.data.speed")


@dataclass
class Tally:
    """What is known of the captions so far."""

    failures: Counter[str] = field(default_factory=Counter)
    done: int = 0
    cached: int = 0
    cost_usd: float | None = None

    def add(self, caption: Caption) -> None:
        self.done += 1
        if caption.outcome is not Outcome.OK:
            self.failures[caption.outcome] += 1
        if caption.cached and caption.cost_usd is not None:  # a captions file's cost nothing anywhere
            self.cached += 1
        if caption.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + caption.cost_usd

    def __str__(self) -> str:
        parts = (
            in_words(self.failures),
            f"{self.cached} from the cache" if self.cached else "",
            "" if self.cost_usd is None else f"${self.cost_usd:.4f}",
        )
        return ", ".join(filter(None, parts))


@contextmanager
def bar(total: int, console: Console) -> Iterator[Callable[[Caption], None]]:
    columns = (TextColumn("captioning"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeLeft())
    with Progress(*columns, TextColumn("{task.fields[tally]}"), console=console) as bars:
        tally = Tally()
        task = bars.add_task("captioning", total=total, tally="")

        def advance(caption: Caption) -> None:
            tally.add(caption)
            bars.update(task, advance=1, tally=str(tally))

        yield advance


@contextmanager
def log_lines(total: int) -> Iterator[Callable[[Caption], None]]:
    start = last = time.monotonic()
    tally = Tally()

    def advance(caption: Caption) -> None:
        nonlocal last
        tally.add(caption)
        now = time.monotonic()
        if now - last < LOG_SECONDS and tally.done < total:
            return
        last, rate = now, tally.done / max(now - start, 1e-9)
        logger.info(
            "captioned %d of %d, %.1f images/s, %.0f s left%s",
            tally.done,
            total,
            rate,
            (total - tally.done) / rate,
            f", {tally}" if str(tally) else "",
        )

    yield advance


def in_words(failures: Counter[str]) -> str:
    """`2 error, 1 refused`, the most frequent first; empty when there are none."""
    return ", ".join(f"{number} {name}" for name, number in failures.most_common())
