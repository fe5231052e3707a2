"""What a person sees during captioning: a bar on a terminal, a line in a notebook, else lines in the log.

Each shows the rate and the time left, or what is waited for, the failures by outcome, the captions from the
cache, and the cost. The time left is shown only when the rate can tell it.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task
from rich.text import Text

from evaluator.core import Caption, Outcome
from evaluator.core.dollars import format_dollars
from evaluator.core.duration import in_time

logger = logging.getLogger(__name__)

LOG_SECONDS = 10.0
NOTEBOOK_SECONDS = 0.5
# The rate is that of the last captions: with fewer it would jump with every batch, with more it would react
# too late to a new limit.
RECENT_CAPTIONS = 500
WAIT_SECONDS = 2.0  # before the first caption, a wait is shown after this time
QUIET_SECONDS = 15.0  # after this time without a caption, that is shown
STEADY_SECONDS = 2.0  # no time left is shown before


@dataclass(frozen=True)
class Display:
    """What the runner reports to."""

    counts: CaptionCounts
    changed: Callable[[float], object]  # called with the time

    def advance(self, caption: Caption) -> None:
        """One more image has its outcome. A terminal that is closed costs no caption."""
        now = time.monotonic()
        self.counts.add(caption, now)
        with suppress(OSError):
            self.changed(now)

    def wait(self, reason: str, seconds: float) -> None:
        """No request is sent for some time, because the provider says so."""
        now = time.monotonic()
        self.counts.waits(reason, now + seconds)
        with suppress(OSError):
            self.changed(now)


@contextmanager
def progress(total: int, console: Console | None = None, verb: str = "captioned") -> Iterator[Display]:
    """Shows the progress of `total` captions on stderr or in the notebook; `verb` says what is done."""
    console = console or Console(stderr=True)
    counts = CaptionCounts(total, time.monotonic(), verb=verb)
    if console.is_terminal:
        bars = Progress(BarColumn(20), MofNCompleteColumn(), CountsColumn(), console=console)
        task = bars.add_task(verb, total=total, counts=counts)
        with suppress(OSError):  # the terminal may be closed
            bars.start()
        try:
            yield Display(counts, lambda now: bars.update(task, completed=counts.done))
        finally:
            with suppress(OSError):
                bars.stop()
    elif console.is_jupyter:  # one line that is written again and again, since a log would not be visible
        write = partial(print, end="", flush=True)
        yield Display(counts, lines(counts, NOTEBOOK_SECONDS, lambda line: write(f"\r{line:<100}")))
        print()
    else:
        yield Display(counts, lines(counts, LOG_SECONDS, lambda line: logger.info("%s", line)))


@dataclass
class CaptionCounts:
    """Counts of the captions so far; all times in seconds of the same clock."""

    total: int
    start: float
    failures: Counter[str] = field(default_factory=Counter)
    done: int = 0
    cached: int = 0
    cost_usd: float | None = None
    waiting_for: str = ""
    waiting_until: float = float("-inf")
    verb: str = "captioned"

    def __post_init__(self) -> None:
        self._recent_times = deque([self.start], maxlen=RECENT_CAPTIONS + 1)
        self._first_time: float | None = None  # of a caption that is not from the cache

    def add(self, caption: Caption, now: float) -> None:
        self.done += 1
        if caption.outcome is not Outcome.OK:
            self.failures[caption.outcome] += 1
        if caption.source == "cache":
            self.cached += 1
        else:
            self._recent_times.append(now)
            self._first_time = now if self._first_time is None else self._first_time
        if caption.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + caption.cost_usd

    def rate(self, now: float) -> float | None:
        """Images per second recently, without those from the cache; None before the first."""
        recent = len(self._recent_times) - 1
        return recent / max(now - self._recent_times[0], 1e-9) if recent else None

    def waits(self, reason: str, until: float) -> None:
        """No request is sent until then."""
        if until > self.waiting_until:
            self.waiting_for, self.waiting_until = reason, until

    def speed(self, now: float) -> str:
        """`24.1 images/s, 95 s left`, or what is waited for; empty at the beginning."""
        if now < self.waiting_until and self.done < self.total:
            wait = in_time(self.waiting_until - now)
            return f"waiting {wait}, as the provider asks ({self.waiting_for})"
        rate = self.rate(now)
        if rate is None:
            waited = now - self.start
            return f"waiting for the first caption, {in_time(waited)}" if waited >= WAIT_SECONDS else ""
        speed = f"{rate:.{1 if rate >= 1 else 3}f} images/s"
        if self.done < self.total and not self._is_steady(now):
            return speed
        quiet = now - self._recent_times[-1]
        last = f", last caption {in_time(quiet)} ago" if quiet >= QUIET_SECONDS else ""
        return f"{speed}, {in_time((self.total - self.done) / rate)} left{last}"

    def _is_steady(self, now: float) -> bool:
        """Whether the rate says how long the rest takes.

        The first answers of many requests in flight, or of a batch, come after a wait in which none could:
        only as much time again tells how fast they come.
        """
        if self._first_time is None:
            return False
        return now - self.start >= max(2 * (self._first_time - self.start), STEADY_SECONDS)

    def line(self, now: float) -> str:
        """Everything in one line of text."""
        parts = (f"{self.verb} {self.done} of {self.total}", self.speed(now), str(self))
        return ", ".join(filter(None, parts))

    def __str__(self) -> str:
        """Such as `2 error, 1 refused, 5 from the cache, $0.7500`, the most frequent failure first."""
        parts = [f"{number} {name}" for name, number in self.failures.most_common()]
        if self.cached:
            parts.append(f"{self.cached} from the cache")
        if self.cost_usd is not None:
            parts.append(format_dollars(self.cost_usd))
        return ", ".join(parts)


class CountsColumn(ProgressColumn):
    """Text that is computed when the bar is drawn, so that it changes during a wait, too."""

    def render(self, task: Task) -> Text:
        counts: CaptionCounts = task.fields["counts"]
        return Text(f"{counts.speed(time.monotonic())} {counts}")


def lines(counts: CaptionCounts, seconds: float, show: Callable[[str], object]) -> Callable[[float], object]:
    """A line every so many seconds, one at the end, and one before a wait."""
    last, last_wait = counts.start, counts.waiting_until

    def changed(now: float) -> None:
        nonlocal last, last_wait
        begins_to_wait = counts.waiting_until > last_wait and counts.waiting_until - now >= seconds
        if now - last >= seconds or counts.done >= counts.total or begins_to_wait:
            last, last_wait = now, counts.waiting_until
            show(counts.line(now))

    return changed
