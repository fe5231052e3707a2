"""The CPUs that this process may use, and how many of them are free."""

from __future__ import annotations

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
# How many processes of one run share the CPUs. The runner sets it for its workers.
SHARED_BY = "EVALUATOR_WORKERS_ON_CPU"


def allowed_cpus() -> float:
    """By the affinity of this process and the limit of its container; a worker of a run has its share."""
    allowed = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    return min(allowed, cgroup_limit(CGROUP)) / max(1, int(os.environ.get(SHARED_BY, "1")))


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
