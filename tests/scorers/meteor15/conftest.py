"""The English of METEOR, and the program itself."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from evaluator.core import Array
from evaluator.scorers.meteor15.engines import by_java
from evaluator.scorers.meteor15.language import Language, load_language

Program = Callable[[Sequence[str], Sequence[Sequence[str]]], Array]


@pytest.fixture(scope="session")
def language(home: Path) -> Language:
    """Prepared once, in the cache that all tests share."""
    pytest.importorskip("pycocoevalcap", reason="pycocoevalcap is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EVALUATOR_CACHE", str(home / "cache"))
        return load_language()


@pytest.fixture(scope="session")
def program() -> Program:
    """Captions and references -> rows of statistics by METEOR 1.5's jar."""
    pytest.importorskip("pycocoevalcap", reason="pycocoevalcap is not installed")
    if shutil.which("java") is None:
        pytest.skip("Java is not installed")

    def rows(captions: Sequence[str], references: Sequence[Sequence[str]]) -> Array:
        return by_java(captions, references, "java", "2G", 600.0)

    return rows
