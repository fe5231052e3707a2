"""The threads of a model fit its size and the machine."""

from __future__ import annotations

import doctest

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
