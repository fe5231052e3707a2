"""What the tests share: the real data, if it is at hand, and a home folder of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

# The hub's client reads this when it is imported, which may be before any fixture.
os.environ["HF_HUB_OFFLINE"] = "1"

# Where the real COCO references, published captions and photographs lie; never part of the project.
REAL_DATA = Path(os.environ.get("EVALUATOR_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder with coco/ and systems/; the test skips where it is missing."""
    if not (REAL_DATA / "coco" / "captions_karpathy_test.json").is_file():
        pytest.skip("the real COCO data is not here: set EVALUATOR_TEST_DATA to its folder")
    return REAL_DATA


@pytest.fixture(autouse=True)
def own_folders(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Neither the network nor the home folder is ever touched."""
    home = tmp_path_factory.getbasetemp() / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("EVALUATOR_CACHE", str(home / "cache"))
