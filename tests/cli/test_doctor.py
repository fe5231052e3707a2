"""`evaluator doctor`: what is said of each thing that may be missing, and that no key is shown."""

from __future__ import annotations

import datetime
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from click import unstyle
from click.testing import CliRunner

from evaluator.cli import doctor
from evaluator.cli.doctor import Finding
from evaluator.core.install import install_line

Command = Callable[..., subprocess.CompletedProcess[str]]
SECRET = "sk-nobody-may-see-this"


@pytest.fixture
def own_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    return tmp_path / "hub"


def program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_every_part_has_its_line_and_no_key_is_shown(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    monkeypatch.delenv("GEMINI_API_KEY", raising=False)
    done = command("doctor")
    assert done.returncode == 0, done.stderr
    marked = [line for line in done.stdout.splitlines() if line.startswith("[")]
    assert {line[:10].strip() for line in marked} <= {"[ok]", "[missing]", "[note]"}
    lines = [line[10:].split("  ")[0] for line in marked]
    assert lines == [
        *(name for name, _, _ in doctor.PACKAGES),
        *("GPU", "CPU", "Java", "METEOR", "SPICE", "CLIP's weights"),
        *doctor.key_pages(),
        *("cache", "prices"),
    ]
    assert "-> export GEMINI_API_KEY=..., with a key from https://aistudio.google.com/apikey" in done.stdout
    assert SECRET not in done.stdout + done.stderr


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys\n"
        "from evaluator.cli.doctor import findings\n"
        "list(findings())\n"
        "print([name for name in ('torch', 'transformers', 'openai', 'anthropic', 'google.genai') "
        "if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_package_that_is_missing_has_its_install_line() -> None:
    finding = doctor.package("no-such-package", "nothing", "gemini")
    assert finding == Finding("no-such-package", "not installed, for nothing", install_line("gemini"))
    assert finding.advice.startswith("pip install 'google-genai")
    assert doctor.package("numpy", "numbers", "").advice == ""


def test_every_extra_is_one_of_ours() -> None:
    extras = doctor.metadata.metadata("evaluator").get_all("Provides-Extra") or []
    assert {extra for _, _, extra in doctor.PACKAGES} <= set(extras)


def test_the_gpu_by_nvidia_s_own_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert doctor.gpu().state.startswith("no NVIDIA GPU")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{path}")
    program(tmp_path / "bin", "nvidia-smi", "echo 'NVIDIA H200, 143771 MiB'")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert doctor.gpu() == Finding("GPU", "NVIDIA H200, 143771 MiB; local models use it")
    program(tmp_path / "bin", "nvidia-smi", "echo 'NVIDIA H200, 1 MiB'; echo 'NVIDIA L4, 2 MiB'")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert doctor.gpu().state == (
        "NVIDIA H200, 1 MiB; NVIDIA L4, 2 MiB; local models run a process on each: runner.devices; "
        "CUDA_VISIBLE_DEVICES=0,1"
    )
    program(tmp_path / "bin", "nvidia-smi", "exit 9")
    assert doctor.gpu().advice == "nvidia-smi"


def test_the_java_of_spice_comes_before_its_download(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    program(tmp_path / "bin", "java", """echo 'openjdk version "17.0.1"' >&2""")
    finding = doctor.spice()
    assert finding.mark == "missing"
    assert "Java 8 to 14" in finding.advice
    assert "384 MB" not in finding.advice


@pytest.mark.parametrize("columns", [None, 80])
def test_marks_and_colours_on_a_terminal_and_plain_words_elsewhere(
    monkeypatch: pytest.MonkeyPatch, columns: int | None
) -> None:
    long = "pip install " + " ".join(f"'package-{number}>=1,<2'" for number in range(9))
    found = [
        Finding("torch", "2.1"),
        Finding("gemini", "not installed", long),
        Finding("GPU", "none", is_note=True),
    ]
    monkeypatch.setattr(doctor, "findings", lambda: iter(found))
    if columns:
        monkeypatch.setattr(doctor.shutil, "get_terminal_size", lambda: os.terminal_size((columns, 24)))
        monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)
    output = CliRunner().invoke(doctor.doctor_command, color=columns is not None).output
    lines = output.splitlines()
    if columns:
        assert "✓" in lines[0]
        assert "\x1b[32m" in lines[0]
        assert all(len(unstyle(line)) <= columns for line in lines)
        assert lines[3].startswith(13 * " ")
    else:
        assert "\x1b" not in output
        assert lines[0] == "[ok]      torch   2.1"
        assert lines[1:3] == ["[missing] gemini  not installed", f"                  -> {long}"]


def test_java(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = os.environ["PATH"]
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert doctor.java().advice == "apt install default-jre-headless"
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{path}")
    program(tmp_path / "bin", "java", """echo 'openjdk version "11.0.2"' >&2""")
    assert doctor.java() == Finding("Java", f"11, {tmp_path / 'bin' / 'java'}")


def test_clip_in_the_hub_s_cache(own_hub: Path) -> None:
    snapshot = own_hub / "models--openai--clip-vit-base-patch32" / "snapshots" / ("0" * 40)
    snapshot.mkdir(parents=True)
    (snapshot / "config.json").write_text("{}")
    assert doctor.clip() == Finding("CLIP's weights", f"openai/clip-vit-base-patch32, in {own_hub}")


@pytest.mark.usefixtures("own_hub")
def test_clip_that_can_be_fetched_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{somebody.getsockname()[1]}")
        assert "downloaded from http://127.0.0.1" in doctor.clip().state
        assert "605 MB" in doctor.clip().state
        assert doctor.clip().mark == "to know"
        assert doctor.clip().advice == ""
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
        assert doctor.clip().advice == "unset HF_HUB_OFFLINE"
        monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    assert "cannot be reached" in doctor.clip().state
    assert "scorer.clipscore.checkpoint=DIR" in doctor.clip().advice


def test_keys_are_set_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    monkeypatch.setenv("OPENAI_API_KEY", " ")
    found = {each.what: each for each in doctor.api_keys()}
    assert found["ANTHROPIC_API_KEY"] == Finding("ANTHROPIC_API_KEY", "set")
    assert found["OPENAI_API_KEY"].state == "not set"


def test_the_cache_and_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache" / "answers").mkdir(parents=True)
    (tmp_path / "cache" / "answers" / "a").write_bytes(b"x" * 2_500_000)
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    assert doctor.cache().state.startswith(f"{tmp_path / 'cache'}, 2.5 MB")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "file"))
    assert doctor.cache().state == f"{tmp_path / 'file'} cannot be written"
    assert "EVALUATOR_CACHE" in doctor.cache().advice


def test_prices_have_an_age() -> None:
    young, old = (doctor.prices(datetime.date(year, 6, 10)) for year in (2025, 2030))
    assert young.advice == ""
    assert old.state.endswith("days ago")
    assert old.advice == "pip install -U genai-prices"
