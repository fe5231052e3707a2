"""`evaluator view` and `evaluator try`: what they print, whom they let in, and how they end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.scored_runs import scored_run

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
from evaluator.web.server import Served, has_browser

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="there is no Ctrl-C for another process here")
def test_ctrl_c_ends_it_cleanly(tmp_path: Path) -> None:
    scored_run(tmp_path / "runs" / "git", {"1": "a dog"}, {"CIDEr": [0.5]})
    viewing = subprocess.Popen(
        [sys.executable, "-m", "evaluator", "view", "--port", "0", "--no-browser"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert viewing.stdout
    address = viewing.stdout.readline().strip()
    with urllib.request.urlopen(address) as answer:
        assert answer.status == 200
    assert viewing.stdout.readline() == "Press Ctrl-C to end\n"
    viewing.send_signal(signal.SIGINT)
    output, errors = viewing.communicate(timeout=60)
    assert (viewing.returncode, output, errors) == (0, "", "")


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The app is looked at once, where a person would press Ctrl-C at the end."""
    answers: list[Any] = []

    def look(served: Served) -> None:
        with urllib.request.urlopen(served.addresses()[0]) as entry:
            cookie = entry.headers["set-cookie"].partition(";")[0]
        base = f"http://127.0.0.1:{served.port}"
        request = urllib.request.Request(f"{base}/api/runs", headers={"cookie": cookie})
        with urllib.request.urlopen(request) as answer:
            answers.append(answer.read().decode())

    monkeypatch.setattr(Served, "wait", look)
    return answers


def test_models_are_tried_on_the_first_pictures_of_a_folder(
    command: Command, seen: list[Any], own: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "my pictures, = of 'July'"
    folder.mkdir()
    for name in ("c", "a", "b"):
        Image.new("RGB", (30, 20), "red").save(folder / f"{name}.png")
    models = ("model=scripted", "model.style=plain,odd", "scorer=[words]", "--config-dir", own)
    done = command("try", folder, *models, "--pictures", 2, "--port", 0, "--no-browser")
    assert done.returncode == 0, done.stderr
    page = re.match(r"http://127\.0\.0\.1:\d+/watch\?(run=[\w-]+&run=[\w-]+)&token=[\w-]{32}\n", done.stdout)
    assert page
    names = re.findall(r"run=([\w-]+)", page[1])
    assert all(f'"name": "{name}"' in seen[0] for name in names)
    assert seen[0].count('"state": "complete"') == 2
    assert seen[0].count('"images": 2') == 2


@pytest.mark.parametrize(("host", "is_open"), [("127.0.0.1", False), ("0.0.0.0", True)])
def test_other_machines_are_let_in_only_where_that_is_typed(
    command: Command, seen: list[Any], host: str, is_open: bool
) -> None:
    done = command("view", "--host", host, "--port", 0, "--no-browser")
    assert done.returncode == 0
    assert done.stdout.count("http://") == (2 if is_open else 1)
    assert ("everybody who has this address" in done.stderr) == is_open
    assert "runs holds no run yet" in done.stdout


def test_a_port_that_is_taken_is_named_or_another_is_found(command: Command, seen: list[Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = command("view", "--port", port, "--no-browser")
        assert done.returncode == 2
        assert f"cannot listen at 127.0.0.1, port {port}" in done.stderr
    assert command("view", "--no-browser").returncode == 0


def test_what_is_missing_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evaluator.cli.web_app.find_spec", lambda name: None)
    done = command("view")
    assert done.returncode == 2
    assert "starlette is not installed. Type: pip install 'starlette" in done.stderr


def test_no_browser_opens_on_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.delenv("SSH_CONNECTION", raising=False)
    monkeypatch.delenv("SSH_TTY", raising=False)
    assert has_browser()
    monkeypatch.setenv("SSH_CONNECTION", "10.0.0.1 22")
    assert not has_browser()
