"""How many threads a model gets on the CPU: as many as it can use and as are free.

A thread that has to wait for a busy core holds up all the others at each of the thousands of small steps of a
model. A small model gains nothing from threads, and loses much.
"""

from __future__ import annotations

import math
import os
from pathlib import Path

# A model gets one thread for so many parameters. The tiny models of the demo are fastest with one.
PARAMETERS_PER_THREAD = 20_000_000
# What says that the user has chosen the number.
CHOSEN_BY = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")
CGROUP = Path("/sys/fs/cgroup")


def threads_for(parameters: int, allowed_cpus: float, free_cpus: float) -> int:
    """The threads of a model with so many parameters, at least one.

    >>> threads_for(1_000_000, allowed_cpus=8, free_cpus=8), threads_for(200_000_000, 8, 8)
    (1, 8)
    >>> threads_for(200_000_000, allowed_cpus=4, free_cpus=60), threads_for(200_000_000, 8, -3.5)
    (4, 1)
    """
    useful = math.ceil(parameters / PARAMETERS_PER_THREAD)
    return max(1, min(useful, round(allowed_cpus), round(free_cpus)))


def allowed_cpus() -> float:
    """The CPUs that this process may use: by its affinity, and by the limit of its container."""
    allowed = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    return min(allowed, cgroup_limit(CGROUP))


def cgroup_limit(folder: Path) -> float:
    """The CPUs that a container's limit amounts to; infinity where there is none."""
    try:
        quota, period = (folder / "cpu.max").read_text().split()  # of version 2: "150000 100000" or "max ..."
    except (OSError, ValueError):
        try:
            quota = (folder / "cpu" / "cpu.cfs_quota_us").read_text()  # of version 1: -1 is no limit
            period = (folder / "cpu" / "cpu.cfs_period_us").read_text()
        except OSError:
            return math.inf
    try:
        limit = float(quota) / float(period)
    except (ValueError, ZeroDivisionError):  # "max"
        return math.inf
    return limit if limit > 0 else math.inf


def free_cpus() -> float:
    """How many of the machine's CPUs nobody used, on average over the last minute; all, where not known."""
    every = float(os.cpu_count() or 1)
    try:
        return every - os.getloadavg()[0]
    except (OSError, AttributeError):  # Windows has no such number
        return every


def is_chosen_by_user() -> bool:
    return any(os.environ.get(name) for name in CHOSEN_BY)
