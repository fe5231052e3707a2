"""`evaluator caption` as it is typed: one's own pictures, models side by side, what it cost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

import evaluator.demo
from tests.runner.conftest import Server

Command = Callable[..., subprocess.CompletedProcess[str]]
IMAGES = Path(evaluator.demo.__file__).parent / "data" / "images"


@pytest.fixture
def pictures(tmp_path: Path) -> list[str]:
    """Of names with spaces and signs of Hydra's grammar."""
    names = ["my dog.png", "a=b, [c].png"]
    for name, source in zip(names, sorted(IMAGES.iterdir()), strict=False):
        shutil.copy(source, tmp_path / name)
    return names


@pytest.fixture
def remote(own: Path, server: Server, tmp_path: Path) -> list[str]:
    (tmp_path / "prices.yaml").write_text("test-model: {input: 10, output: 10}\n")
    return ["--config-dir", str(own), "model=remote", f"model.url={server.url}", "prices=prices.yaml"]


def test_pictures_by_two_models_side_by_side(
    command: Command, remote: list[str], pictures: list[str], server: Server, tmp_path: Path
) -> None:
    done = command("caption", *pictures, *remote, "prompt=none,detailed")
    assert done.returncode == 0, done.stderr
    for name in pictures:
        assert f"a picture of {name}" in done.stdout
    assert "remote none" in done.stdout
    assert "remote detailed" in done.stdout
    assert done.stdout.count("$0.00100") == 4
    assert done.stdout.count("$0.00200") == 2
    assert server.requests == 4
    assert not (tmp_path / "runs").exists()


def test_the_second_time_costs_nothing(
    command: Command, remote: list[str], pictures: list[str], server: Server
) -> None:
    command("caption", *pictures, *remote)
    done = command("caption", *pictures, *remote)
    assert done.stdout.count("from the cache") == 2
    assert server.requests == 2


def test_a_refusal_says_so_and_a_failure_is_no_success(
    command: Command, remote: list[str], pictures: list[str], server: Server
) -> None:
    server.behave(by_item={pictures[0]: "refused", pictures[1]: "503"})
    done = command("caption", *pictures, *remote, "runner.requests.attempts=1")
    assert "refused: the model refused" in done.stdout
    assert "error: overloaded (1 attempts)" in done.stdout
    assert done.returncode == 3


def test_a_local_model(command: Command, pictures: list[str]) -> None:
    done = command("caption", pictures[0], "model=tiny-git")
    assert done.returncode == 0, done.stderr
    assert "tiny-git" in done.stdout
    assert "$" not in done.stdout


@pytest.mark.parametrize("typed", [["nowhere.png"], ["model=tiny-git"]])
def test_a_picture_that_is_not_there(typed: list[str], command: Command) -> None:
    done = command("caption", *typed)
    assert done.returncode == 2
    assert "picture" in done.stderr
