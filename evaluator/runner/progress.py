"""What a person sees during captioning: a bar on a terminal, a line in a notebook, else lines in the log.

Each shows the rate and the time left, the failures by outcome, the captions from the cache, and the cost.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task
from rich.text import Text

from evaluator.core import Caption, Outcome

logger = logging.getLogger(__name__)

LOG_SECONDS = 10.0
NOTEBOOK_SECONDS = 0.5
# The rate is that of the last captions: with fewer it would jump with every batch, with more it would react
# too late to a new limit.
RECENT_CAPTIONS = 500

Advance = Callable[[Caption], None]


@contextmanager
def progress(total: int, console: Console | None = None) -> Iterator[Advance]:
    """A function to call with each caption, which shows the progress on stderr or in the notebook."""
    console = console or Console(stderr=True)
    if console.is_terminal:
        counts = CaptionCounts(total, time.monotonic())
        with Progress(BarColumn(20), MofNCompleteColumn(), CountsColumn(), console=console) as bars:
            task = bars.add_task("captioning", total=total, counts=counts)

            def advance(caption: Caption) -> None:
                counts.add(caption, time.monotonic())
                bars.update(task, advance=1)

            yield advance
    elif console.is_jupyter:  # one line that is written again and again, since a log would not be visible
        yield lines(total, NOTEBOOK_SECONDS, lambda line: print(f"\r{line:<100}", end="", flush=True))
        print()
    else:
        yield lines(total, LOG_SECONDS, lambda line: logger.info("%s", line))


@dataclass
class CaptionCounts:
    """Counts of the captions so far; all times in seconds of the same clock."""

    total: int
    start: float
    failures: Counter[str] = field(default_factory=Counter)
    done: int = 0
    cached: int = 0
    cost_usd: float | None = None

    def __post_init__(self) -> None:
        self._recent_times = deque([self.start], maxlen=RECENT_CAPTIONS + 1)

    def add(self, caption: Caption, now: float) -> None:
        self.done += 1
        if caption.outcome is not Outcome.OK:
            self.failures[caption.outcome] += 1
        if caption.source == "cache":
            self.cached += 1
        else:
            self._recent_times.append(now)
        if caption.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + caption.cost_usd

    def rate(self, now: float) -> float | None:
        """Images per second recently, without those from the cache; None before the first."""
        recent = len(self._recent_times) - 1
        return recent / max(now - self._recent_times[0], 1e-9) if recent else None

    def speed(self, now: float) -> str:
        """`24.1 images/s, 95 s left`; empty before the first caption."""
        rate = self.rate(now)
        if rate is None:
            return ""
        return f"{rate:.{1 if rate >= 1 else 3}f} images/s, {in_time((self.total - self.done) / rate)} left"

    def line(self, now: float) -> str:
        """Everything in one line of text."""
        parts = (f"captioned {self.done} of {self.total}", self.speed(now), str(self))
        return ", ".join(filter(None, parts))

    def __str__(self) -> str:
        """Such as `2 error, 1 refused, 5 from the cache, $0.7500`, the most frequent failure first."""
        parts = [f"{number} {name}" for name, number in self.failures.most_common()]
        if self.cached:
            parts.append(f"{self.cached} from the cache")
        if self.cost_usd is not None:
            parts.append(f"${self.cost_usd:.4f}")
        return ", ".join(parts)


class CountsColumn(ProgressColumn):
    """Text that is computed when the bar is drawn, so that it changes during a wait, too."""

    def render(self, task: Task) -> Text:
        counts: CaptionCounts = task.fields["counts"]
        return Text(f"{counts.speed(time.monotonic())} {counts}")


def lines(total: int, seconds: float, show: Callable[[str], object]) -> Advance:
    """A line every so many seconds, and one at the end."""
    start = last = time.monotonic()
    counts = CaptionCounts(total, start)

    def advance(caption: Caption) -> None:
        nonlocal last
        now = time.monotonic()
        counts.add(caption, now)
        if now - last >= seconds or counts.done >= total:
            last = now
            show(counts.line(now))

    return advance


def in_time(seconds: float) -> str:
    """A time to wait.

    >>> in_time(95.2), in_time(754), in_time(12_345)
    ('95 s', '13 min', '3 h 26 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
