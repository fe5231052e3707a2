"""The threads of a model fit its size and the machine."""

from __future__ import annotations

import doctest
import math
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.models import threads


def test_its_examples() -> None:
    assert doctest.testmod(threads).failed == 0


@given(st.integers(0, 10**10), st.floats(0.1, 256), st.floats(-1000, 256))
def test_never_fewer_than_one_and_never_more_than_there_are(
    parameters: int, allowed: float, free: float
) -> None:
    assert 1 <= threads.threads_for(parameters, allowed, free) <= max(1, round(allowed))


@pytest.mark.parametrize(
    ("files", "cpus"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, math.inf),
        ({"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, math.inf),
        ({"cpu.max": "nonsense"}, math.inf),
        ({}, math.inf),
    ],
)
def test_the_limit_of_a_container(files: dict[str, str], cpus: float, tmp_path: Path) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert threads.cgroup_limit(tmp_path) == cpus


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no CPU affinity")
def test_the_affinity_of_this_process() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert threads.allowed_cpus() <= 1.0
    finally:
        os.sched_setaffinity(0, before)


def test_a_checkpoint_opens_with_the_threads_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    from evaluator.models import checkpoints

    before = torch.get_num_threads()
    try:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
        torch.set_num_threads(4)
        checkpoints.choose_threads(1_000_000)
        assert torch.get_num_threads() == 1
        torch.set_num_threads(4)
        monkeypatch.setenv("OMP_NUM_THREADS", "4")
        checkpoints.choose_threads(1_000_000)
        assert torch.get_num_threads() == 4, "what the user has chosen stays"
    finally:
        torch.set_num_threads(before)
