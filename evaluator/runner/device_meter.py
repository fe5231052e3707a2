"""How long a local model takes to load, and the peak of the memory that it takes on its GPU.

On the CPU no peak is given: the growth of a process depends on what it has loaded before.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from evaluator.core import Captioner, DeviceUse, OnDevice, RunsHere, Session


class DeviceMeter:
    """Measures from now on: it is made before the model is loaded."""

    def __init__(self, captioner: Captioner) -> None:
        if isinstance(captioner, OnDevice):
            import_libraries()
        if (torch := sys.modules.get("torch")) and torch.cuda.is_initialized():  # by an earlier model
            for device in range(torch.cuda.device_count()):
                torch.cuda.reset_peak_memory_stats(device)
        self._start = time.monotonic()
        self._seconds: float | None = None

    def loaded(self) -> float:
        """The seconds since the meter was made, which are those of loading the model."""
        self._seconds = round(time.monotonic() - self._start, 3)
        return self._seconds

    def use(self, session: Session) -> DeviceUse | None:
        """What the model has taken so far; None where it does not compute here."""
        if self._seconds is None or not isinstance(session, RunsHere):
            return None
        placement = session.placement
        peak = cuda_peak(placement.device) if placement.device.startswith("cuda") else None
        return DeviceUse(placement, self._seconds, peak)


def import_libraries() -> None:
    """What loading takes besides the model itself: of several models, only the first would wait for it."""
    with suppress(ImportError):  # what is missing is reported where it is needed
        from transformers import AutoModelForImageTextToText, AutoProcessor  # noqa: F401


def cuda_peak(device: str) -> int:
    """The most bytes that torch's tensors took on a device at the same time."""
    import torch

    return torch.cuda.max_memory_allocated(torch.device(device))
