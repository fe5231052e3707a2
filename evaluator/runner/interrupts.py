"""What ends a command early: Ctrl-C, SIGTERM (docker stop, SLURM) and SIGHUP (a closed terminal)."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import FrameType

# Windows has SIGBREAK instead of SIGHUP.
SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK") if hasattr(signal, name)
)


@contextmanager
def on_interrupt(stop: Callable[[], None]) -> Iterator[None]:
    """Each of the signals calls `stop`; a second one does so only where a person pressed Ctrl-C.

    A closed terminal is often reported twice. Only the main thread receives signals. A signal that the
    process ignores, as under nohup, stays ignored.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    was_called = False

    def handle(number: int, frame: FrameType | None) -> None:
        nonlocal was_called
        if number == signal.SIGINT or not was_called:
            was_called = True
            stop()

    with ExitStack() as stack:
        for number in SIGNALS:
            if (before := signal.getsignal(number)) is not signal.SIG_IGN:
                signal.signal(number, handle)
                stack.callback(signal.signal, number, before)
        yield


def end_like_ctrl_c() -> None:
    """From now on, a signal that would end the process raises KeyboardInterrupt, as Ctrl-C does."""
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, signal.default_int_handler)
