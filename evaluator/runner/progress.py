"""What a person sees while captions are made: a bar with rate and time left, or plain lines in a log."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

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


@contextmanager
def bar(total: int, console: Console) -> Iterator[Callable[[Caption], None]]:
    columns = (TextColumn("captioning"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeLeft())
    with Progress(*columns, TextColumn("{task.fields[failures]}"), console=console) as bars:
        task = bars.add_task("captioning", total=total, failures="")
        failures: Counter[str] = Counter()

        def advance(caption: Caption) -> None:
            if caption.outcome is not Outcome.OK:
                failures[caption.outcome] += 1
            bars.update(task, advance=1, failures=in_words(failures))

        yield advance


@contextmanager
def log_lines(total: int) -> Iterator[Callable[[Caption], None]]:
    start = last = time.monotonic()
    outcomes: Counter[str] = Counter()

    def advance(caption: Caption) -> None:
        nonlocal last
        outcomes[caption.outcome] += 1
        done, now = outcomes.total(), time.monotonic()
        if now - last < LOG_SECONDS and done < total:
            return
        last, rate = now, done / max(now - start, 1e-9)
        failures = in_words(Counter({name: n for name, n in outcomes.items() if name != Outcome.OK}))
        left = (total - done) / rate
        logger.info(
            "captioned %d of %d, %.1f images/s, %.0f s left%s",
            done,
            total,
            rate,
            left,
            failures and f", {failures}",
        )

    yield advance


def in_words(failures: Counter[str]) -> str:
    """`2 error, 1 refused`, the most frequent first; empty when there are none."""
    return ", ".join(f"{number} {name}" for name, number in failures.most_common())
