"""What a person sees while scores are computed: which metric, and for how long."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

LOG_SECONDS = 10.0

Begin = Callable[[str], None]


def in_silence(step: str) -> None:
    """Shows nothing."""


@contextmanager
def scoring_progress(captions: int) -> Iterator[Begin]:
    """A function to call with the name of each step that begins.

    A terminal shows the step and its time; a log gets a line when the step before took long.
    """
    if not sys.stderr.isatty():
        yield log_lines(captions)
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task("scoring", total=None)

        def begin(step: str) -> None:
            bars.reset(task, description=f"scoring {captions:,} captions: {step}", total=None)

        yield begin


def log_lines(captions: int) -> Begin:
    last = time.monotonic()

    def begin(step: str) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= LOG_SECONDS:
            logger.info("scoring %d captions: %s", captions, step)
        last = now

    return begin
