"""`evaluator caption` as it is typed: one's own pictures, models side by side, what it cost."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from click import UsageError
from click.testing import CliRunner, Result

import evaluator.demo
from evaluator.cli.console import ExitCode
from evaluator.cli.main import cli
from evaluator.core.errors import DataError
from tests.files.test_downloads import file_server
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


def captioned(*typed: object) -> Result:
    """The command, in this process and folder."""
    return CliRunner().invoke(cli, ["caption", *map(str, typed)], standalone_mode=False)


@pytest.mark.usefixtures("pictures")
def test_a_folder_with_its_sub_folders(
    remote: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "holiday" / "beach").mkdir(parents=True)
    for name in ("holiday/b.png", "holiday/beach/A.PNG", "holiday/notes.txt"):
        shutil.copy("my dog.png", name)
    done = captioned("holiday", *remote)
    assert done.return_value == ExitCode.OK
    rows = [line for line in done.output.splitlines() if "a picture of" in line]
    assert [row.split("│")[1].strip() for row in rows] == ["holiday/b.png", "holiday/beach/A.PNG"]
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no pictures in this folder"):
        raise captioned("empty", *remote).exception or AssertionError


def test_an_address_that_fails_costs_no_other_picture(
    remote: list[str], pictures: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loopback only: one address gives a picture, one a 404, one is of another scheme."""
    monkeypatch.chdir(tmp_path)
    content = (tmp_path / pictures[0]).read_bytes()
    with file_server({"/a%20dog.png": content}) as address:
        done = captioned(f"{address}/a%20dog.png", f"{address}/gone.png?a=b", "ftp://host/x.png", *remote)
        assert done.return_value == ExitCode.INCOMPLETE
        told = " ".join(done.output.replace("│", " ").split())
        assert "a picture of" in told
        assert "the server answers 404 Not Found" in told
        assert "only http and https addresses are downloaded, not ftp" in told
        with pytest.raises(UsageError, match="404"):
            raise captioned(f"{address}/gone.png", *remote).exception or AssertionError


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
