"""How long a local model takes to load, and the peak of the memory that it takes on its device.

On an NVIDIA GPU torch counts its own memory. On the CPU it is the growth of this process since before the
model was loaded, by Linux's counters; elsewhere it is not known. The processes that prepare pictures are not
counted.
"""

from __future__ import annotations

import re
import sys
import time
from pathlib import Path

from evaluator.core import DeviceUse, RunsHere, Session

STATUS = Path("/proc/self/status")
KILOBYTE = 1024


class DeviceMeter:
    """Measures from now on: it is made before the model is loaded."""

    def __init__(self) -> None:
        if (torch := sys.modules.get("torch")) and torch.cuda.is_initialized():  # by an earlier model
            for device in range(torch.cuda.device_count()):
                torch.cuda.reset_peak_memory_stats(device)
        self._before = self._most = resident_bytes()
        self._peak_before = resident_bytes("VmHWM")
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
        if placement.device.startswith("cpu"):
            peak = self._growth()
        return DeviceUse(placement, self._seconds, peak)

    def _growth(self) -> int | None:
        """The growth of this process: by its peak, or by what was seen where that is older."""
        peak, now = resident_bytes("VmHWM"), resident_bytes()
        if self._before is None or self._most is None or now is None:
            return None
        self._most = max(self._most, now)
        is_new = peak is not None and self._peak_before is not None and peak > self._peak_before
        return (peak if is_new and peak is not None else self._most) - self._before


def cuda_peak(device: str) -> int:
    """The most bytes that torch's tensors took on a device at the same time."""
    import torch

    return torch.cuda.max_memory_allocated(torch.device(device))


def resident_bytes(counter: str = "VmRSS") -> int | None:
    """The memory of this process, or its peak (VmHWM); None where the system does not say (proc(5))."""
    try:
        found = re.search(rf"^{counter}:\s*(\d+) kB", STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * KILOBYTE if found else None
