"""Scored runs by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.scored_runs import scored_run


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., Path]:
    """Makes a scored run of this name in the test's own folder."""

    def make(name: str, *arguments: Any, **options: Any) -> Path:
        return scored_run(tmp_path / name, *arguments, **options)

    return make
