"""The original programs in Java: the package that brings them, which Java there is, and one run of one.

>>> major_version('openjdk version "17.0.12" 2024-07-16'), major_version('java version "1.8.0_292"')
(17, 8)
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from evaluator.core.errors import MetricError
from evaluator.core.install import install_line

LAST_LINES = 5  # of what a program wrote before it failed: they hold its reason


def find_java(program: str, metric: str) -> str:
    """The path of a Java program such as `java`. Raises MetricError where there is none."""
    if found := shutil.which(program):
        return found
    raise MetricError(
        f"{metric} needs Java, and there is no program {program!r}. Install Java (Debian and Ubuntu: "
        f"apt install default-jre-headless), or say where it is: scorer.{metric.lower()}.java=/path/to/java"
    )


def pycocoevalcap_folder(metric: str) -> Path:
    """Where the package is that brings the programs, which nobody imports. Raises MetricError without it."""
    package = importlib.util.find_spec("pycocoevalcap")
    if package is None or not package.submodule_search_locations:
        raise MetricError(
            f"{metric} needs the files of the package pycocoevalcap, which is not installed. "
            f"Type: {install_line('coco')}"
        )
    return Path(package.submodule_search_locations[0])


def version_of(program: str) -> int | None:
    """The Java's major version, None where it does not tell."""
    try:
        process = subprocess.run(
            [program, "-version"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return major_version(process.stderr)


def major_version(output: str) -> int | None:
    """What `java -version` prints: up to Java 8 the second number, since then the first."""
    found = re.search(r'version "(?:1\.)?(\d+)', output)
    return int(found[1]) if found else None


def run_java(
    command: Sequence[str], seconds: float, metric: str, folder: Path | None = None, question: bytes = b""
) -> bytes:
    """What the program answers to the question: it runs to the end, and never outlives this call.

    Raises MetricError with the program's last lines where it fails or is killed, and after `seconds`.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    ) as process:
        try:
            answer, said = process.communicate(question, timeout=seconds)
        except subprocess.TimeoutExpired:
            raise MetricError(
                f"{metric} was stopped after {seconds:g} seconds without a result. Type "
                f"scorer.{metric.lower()}.time_limit_seconds={2 * seconds:g} to wait longer"
            ) from None
        finally:
            end(process)
    if process.returncode:
        raise MetricError(f"{metric}'s Java program failed: {reason(said, process.returncode, metric)}")
    return answer


def end(process: subprocess.Popen[bytes]) -> None:
    """Stop the program and everything that it started."""
    if process.poll() is None:
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:  # Windows: Java starts no further program
            process.kill()
        process.wait()


def reason(said: bytes, code: int, metric: str) -> str:
    text = said.decode("utf-8", "replace")
    if "OutOfMemoryError" in text:
        return f"its memory was not enough. Type scorer.{metric.lower()}.memory=16G to give it more"
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}, as systems do that run out of memory"
    errors = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("\tat ")]
    return " / ".join(errors[-LAST_LINES:]) or f"exit code {code}, without a word"
