"""An event loop whose clock stands still while the process does.

A suspended process (Ctrl-Z, a sleeping laptop) reads nothing. By an ordinary clock all its deadlines pass
meanwhile, and answers that have long arrived would be thrown away and bought again.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

if sys.platform == "win32":
    PlatformLoop = asyncio.ProactorEventLoop
else:
    PlatformLoop = asyncio.SelectorEventLoop

TICK_SECONDS = 1.0  # the loop looks at the clock at least this often
LONGEST_TICK_SECONDS = 5.0  # a longer time between two looks was no running time
GRACE_SECONDS = 5.0  # after that the clock waits, so that what has arrived is read before a deadline passes


class AwakeLoop(PlatformLoop):
    """Its `time`, and with it every timeout and delay, counts only the time in which the loop ran."""

    def __init__(self) -> None:
        self._clock = self._last_look = self._asleep = 0.0
        super().__init__()
        self._last_look = self._clock = super().time()
        self._tick()

    def time(self) -> float:
        now = super().time()
        if now - self._last_look > LONGEST_TICK_SECONDS:
            self._asleep += now - self._last_look + GRACE_SECONDS
        self._last_look = now
        self._clock = max(self._clock, now - self._asleep)
        return self._clock

    def _tick(self) -> None:
        self.call_later(TICK_SECONDS, self._tick)


def run_in_loop(loop: AwakeLoop, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Run to the end; in a thread of its own where this one runs a loop already, as in a notebook."""

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(main())

    in_notebook = False
    with suppress(RuntimeError):  # no loop runs in this thread
        in_notebook = asyncio.get_running_loop().is_running()
    if in_notebook:
        with ThreadPoolExecutor(1, "requests") as thread:
            thread.submit(run).result()
    else:
        run()
