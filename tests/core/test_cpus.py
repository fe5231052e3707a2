"""The CPUs that a process may use: by its affinity, its container, and the run that it is a worker of."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from evaluator.core import cpus


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, math.inf),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        ({"cpu.max": "nonsense"}, math.inf),
        ({}, math.inf),
    ],
)
def test_the_limit_of_a_container(files: dict[str, str], limit: float, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert cpus.cgroup_limit(tmp_path) == limit


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_the_affinity_of_this_process() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert cpus.allowed_cpus() <= 1.0
    finally:
        os.sched_setaffinity(0, before)


def test_workers_of_one_run_share_the_cpus(monkeypatch: pytest.MonkeyPatch) -> None:
    alone = cpus.allowed_cpus()
    monkeypatch.setenv(cpus.SHARED_BY, "2")
    assert cpus.allowed_cpus() == alone / 2
