"""A command that is killed with SIGKILL as soon as it has written so many lines."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PATIENCE_SECONDS = 120.0


def kill_after_lines(arguments: list[str], folder: Path, file: Path, number: int) -> bytes:
    """Run `evaluator ARGUMENTS`, kill it when the file has so many lines, and return what the file holds."""
    with subprocess.Popen(
        [sys.executable, "-m", "evaluator", *arguments],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not file.exists() or file.read_bytes().count(b"\n") < number:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    return file.read_bytes()
