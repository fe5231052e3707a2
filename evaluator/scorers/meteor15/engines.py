"""METEOR's statistics by this package, in one process or several, and by the original Java program."""

from __future__ import annotations

import gc
import io
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise

import numpy as np

from evaluator.core import Array
from evaluator.core.aggregates.meteor import COLUMNS
from evaluator.core.errors import MetricError
from evaluator.scorers.java import find_java, run_java
from evaluator.scorers.meteor15.installed_files import InstalledFiles
from evaluator.scorers.meteor15.java_strings import one_line
from evaluator.scorers.meteor15.language import load_language
from evaluator.scorers.meteor15.segments import statistics, without_perfect_chunks

# From so many captions on, a process is worth its start.
CAPTIONS_A_PROCESS = 1_000

References = Sequence[Sequence[str]]


def by_python(captions: Sequence[str], references: References, processes: int) -> Array:
    """Rows (N, 23), by this process and others.

    The others are programs of their own. multiprocessing would import the caller's main script again, which
    breaks a script that scores captions outside `if __name__ == "__main__"`.
    """
    load_language()  # prepared by one process, if it has to be prepared
    count = max(1, min(processes, len(captions) // CAPTIONS_A_PROCESS))
    bounds = [len(captions) * part // count for part in range(count + 1)]
    parts = [(captions[start:end], references[start:end]) for start, end in pairwise(bounds)]
    others = [_start(*part) for part in parts[1:]]
    try:
        rows = [_rows(*parts[0]), *map(_finish, others)]
    finally:
        for other in others:
            other.kill()
            other.wait()
    return np.concatenate(rows)


def by_java(captions: Sequence[str], references: References, java: str, memory: str, seconds: float) -> Array:
    """Rows (N, 23). Raises MetricError where Java or the program is missing, fails or hangs."""
    files = InstalledFiles.find()
    command = [find_java(java, "METEOR"), f"-Xmx{memory}", "-Dfile.encoding=UTF-8", "-jar", str(files.jar)]
    command += ["-", "-", "-stdio", "-l", "en", "-norm"]
    request = "".join(
        " ||| ".join(["SCORE", *map(one_line, [*of_image, caption])]) + "\n"
        for caption, of_image in zip(captions, references, strict=True)
    )
    answer = run_java(command, seconds, "METEOR", question=request.encode()).decode()
    try:
        rows = np.array([line.split() for line in answer.splitlines()], np.float64)
        return without_perfect_chunks(rows.reshape(len(captions), len(COLUMNS)))
    except ValueError:
        raise MetricError(
            f"METEOR's program gave {len(answer.splitlines())} answers for {len(captions)} captions, the "
            f"last one {answer[-200:].strip()!r}. Type scorer.meteor.engine=python"
        ) from None


def _rows(captions: Sequence[str], references: References) -> Array:
    """Rows (N, 23), without garbage collection: the millions of small objects do not refer to each other in
    circles, and looking through them takes a sixth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return statistics(captions, references, load_language())
    finally:
        if was_enabled:
            gc.enable()


def _start(captions: Sequence[str], references: References) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "evaluator.scorers.meteor15.engines"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as stream:  # _finish reports a process that died
        stream.write(json.dumps([captions, references]).encode())
    return process


def _finish(process: subprocess.Popen[bytes]) -> Array:
    assert process.stdout is not None
    with process.stdout as stream:
        answer = stream.read()
    if process.wait():
        raise MetricError("a process of METEOR was ended. Type scorer.meteor.processes=1 to use one")
    rows: Array = np.load(io.BytesIO(answer))
    return rows


def main() -> None:
    captions, references = json.load(sys.stdin)
    np.save(sys.stdout.buffer, _rows(captions, references))


if __name__ == "__main__":
    main()
