"""Java programs: found, asked for their version, and ended, with programs that behave badly."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from evaluator.core.errors import MetricError
from evaluator.scorers.java import find_java, major_version, run_java, version_of

LEAVES_A_CHILD = """
import pathlib, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
pathlib.Path("child").write_text(str(child.pid))
time.sleep(600)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("told", "version"),
    [
        ('java version "1.8.0_292"\nJava(TM) SE Runtime Environment', 8),
        ('openjdk version "11.0.2" 2019-01-15', 11),
        ('openjdk version "17" 2021-09-14', 17),
        ('NOTE: Picked up JDK_JAVA_OPTIONS\nopenjdk version "21-ea" 2023-09-19', 21),
        ("what?", None),
    ],
)
def test_versions(told: str, version: int | None) -> None:
    assert major_version(told) == version


def test_the_java_at_hand_tells_its_version() -> None:
    if shutil.which("java") is None:
        pytest.skip("Java is not installed")
    version = version_of(find_java("java", "SPICE"))
    assert version is not None
    assert version >= 8


def test_a_missing_java_says_what_to_install() -> None:
    with pytest.raises(MetricError, match=r"apt install .* scorer\.spice\.java="):
        find_java("/nowhere/bin/java", "SPICE")


def test_a_program_that_is_no_program_has_no_version(tmp_path: Path) -> None:
    assert version_of(str(tmp_path)) is None


def test_a_program_that_hangs_is_stopped_with_its_children(tmp_path: Path) -> None:
    with pytest.raises(MetricError, match=r"stopped after 2 seconds.*time_limit_seconds=4"):
        run_java(python(LEAVES_A_CHILD), 2, "SPICE", tmp_path)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not is_running(child):
            break
        time.sleep(0.05)
    assert not is_running(child)


def is_running(process: int) -> bool:
    """A process that has ended stays listed until somebody asks for its exit code."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (
            "import sys; print('reading', file=sys.stderr); sys.exit('Error: no such file')",
            "reading / Error: no such file",
        ),
        ("import sys; sys.exit(3)", "exit code 3"),
        (
            "import sys; sys.exit('java.lang.OutOfMemoryError: Java heap space')",
            r"not enough. Type scorer\.spice\.memory=",
        ),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        (r"import sys; sys.stderr.buffer.write(b'\xff\tat x\n\tat y\n'); sys.exit(1)", "\ufffd\tat x"),
    ],
)
def test_a_failure_is_told_in_the_programs_own_words(tmp_path: Path, code: str, expected: str) -> None:
    with pytest.raises(MetricError, match=expected):
        run_java(python(code), 60, "SPICE", tmp_path)


def test_a_program_that_writes_a_lot_does_not_block(tmp_path: Path) -> None:
    code = "import sys; print('x' * 1_000_000, file=sys.stderr); print(len(sys.stdin.read()))"
    assert run_java(python(code), 60, "SPICE", tmp_path, b"y" * 1_000_000).strip() == b"1000000"


def test_it_runs_in_its_folder(tmp_path: Path) -> None:
    run_java(python("open('here', 'w').close()"), 60, "SPICE", tmp_path)
    assert os.listdir(tmp_path) == ["here"]
