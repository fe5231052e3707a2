"""What a person sees while captions are made: a bar with rate and time left, or plain lines in a log.

Both say how many failed and in which way, how many came from the cache, and what it has cost so far.
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
# The captions that the rate is of: fewer would jump with every batch, more would not see a limit change.
RECENT = 500


@contextmanager
def progress(total: int) -> Iterator[Callable[[Caption], None]]:
    """A function to call with each caption: moves a bar on a terminal, elsewhere logs a line now and then."""
    console = Console(stderr=True)
    with bar(total, console) if console.is_terminal else log_lines(total) as advance:
        yield advance


@dataclass
class Tally:
    """What is known of the captions so far; all moments in seconds of one clock."""

    total: int
    start: float
    failures: Counter[str] = field(default_factory=Counter)
    done: int = 0
    cached: int = 0
    cost_usd: float | None = None

    def __post_init__(self) -> None:
        self._made_at = deque([self.start], maxlen=RECENT + 1)

    def add(self, caption: Caption, now: float) -> None:
        self.done += 1
        if caption.outcome is not Outcome.OK:
            self.failures[caption.outcome] += 1
        if caption.cached and caption.cost_usd is not None:  # a captions file's cost nothing anywhere
            self.cached += 1
        else:
            self._made_at.append(now)
        if caption.cost_usd is not None:
            self.cost_usd = (self.cost_usd or 0.0) + caption.cost_usd

    def rate(self, now: float) -> float | None:
        """Images a second of late, None before the first; those from the cache tell nothing of the others."""
        made = len(self._made_at) - 1
        return made / max(now - self._made_at[0], 1e-9) if made else None

    def speed(self, now: float) -> str:
        """`24.1 images/s, 95 s left`; empty while it is not known."""
        rate = self.rate(now)
        if rate is None:
            return ""
        return f"{rate:.{1 if rate >= 1 else 3}f} images/s, {in_time((self.total - self.done) / rate)} left"

    def __str__(self) -> str:
        parts = (
            in_words(self.failures),
            f"{self.cached} from the cache" if self.cached else "",
            "" if self.cost_usd is None else f"${self.cost_usd:.4f}",
        )
        return ", ".join(filter(None, parts))


@dataclass
class TallyColumn(ProgressColumn):
    """What a tally says at the moment that the bar is drawn, so that a wait shows."""

    say: Callable[[float], str]

    def __post_init__(self) -> None:
        super().__init__()

    def render(self, task: Task) -> Text:
        return Text(self.say(time.monotonic()))


@contextmanager
def bar(total: int, console: Console) -> Iterator[Callable[[Caption], None]]:
    tally = Tally(total, time.monotonic())
    columns = (
        BarColumn(20),
        MofNCompleteColumn(),
        TallyColumn(tally.speed),
        TallyColumn(lambda _: str(tally)),
    )
    with Progress(*columns, console=console) as bars:
        task = bars.add_task("captioning", total=total)

        def advance(caption: Caption) -> None:
            tally.add(caption, time.monotonic())
            bars.update(task, advance=1)

        yield advance


@contextmanager
def log_lines(total: int) -> Iterator[Callable[[Caption], None]]:
    start = last = time.monotonic()
    tally = Tally(total, start)

    def advance(caption: Caption) -> None:
        nonlocal last
        now = time.monotonic()
        tally.add(caption, now)
        if now - last < LOG_SECONDS and tally.done < total:
            return
        last = now
        parts = (f"captioned {tally.done} of {total}", tally.speed(now), str(tally))
        logger.info("%s", ", ".join(filter(None, parts)))

    yield advance


def in_words(failures: Counter[str]) -> str:
    """`2 error, 1 refused`, the most frequent first; empty when there are none."""
    return ", ".join(f"{number} {name}" for name, number in failures.most_common())


def in_time(seconds: float) -> str:
    """A duration to wait for.

    >>> in_time(95.2), in_time(754), in_time(12_345)
    ('95 s', '13 min', '3 h 26 min')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
