"""What the tests share: the real data, if it is at hand, and a home folder of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import settings

# No test asserts how long something takes: machines are busy.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# A shell starts what runs in the background with Ctrl-C ignored; tests of Ctrl-C would wait for it in vain.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The hub's client reads this when it is imported, which may be before any fixture.
os.environ["HF_HUB_OFFLINE"] = "1"
# Models this small gain nothing from threads, and threads that wait for a busy core cost ten times as much.
os.environ.setdefault("OMP_NUM_THREADS", "1")

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


@pytest.fixture
def command(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """`python -m evaluator ARGUMENTS` in the test's own folder, to its end."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "evaluator", *map(str, arguments)]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=300)

    return run


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The conf/ of a repository of one's own, whose components lie in the test's own folder."""
    repository = Path(__file__).parent / "own"
    shutil.copytree(repository, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.syspath_prepend(repository)
    return tmp_path / "conf"


@pytest.fixture
def references(tmp_path: Path) -> Callable[..., Path]:
    """A file in COCO's format from image id to captions; its pictures are called as their ids."""

    def write(captions: Mapping[int | str, Sequence[str]], name: str = "references.json") -> Path:
        document = {
            "images": [{"id": image, "file_name": f"{image}.png"} for image in captions],
            "annotations": [
                {"image_id": image, "caption": text} for image, texts in captions.items() for text in texts
            ],
        }
        (tmp_path / name).write_text(json.dumps(document), encoding="utf-8")
        return tmp_path / name

    return write
