"""METEOR's statistics by this package, in one process or several, and by the program itself."""

from __future__ import annotations

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
from evaluator.core.errors import NotComputed
from evaluator.scorers.java import find_java, run_java
from evaluator.scorers.meteor15.installed_files import InstalledFiles
from evaluator.scorers.meteor15.java_strings import one_line
from evaluator.scorers.meteor15.language import load_language
from evaluator.scorers.meteor15.segments import statistics, without_perfect_chunks

# A process is worth its start for so many captions.
CAPTIONS_A_PROCESS = 1_000

References = Sequence[Sequence[str]]


def by_python(captions: Sequence[str], references: References, processes: int) -> Array:
    """Rows (N, 23). The other processes are programs of their own: no state is shared or copied."""
    language = load_language()  # made by one process, if it has to be made
    count = max(1, min(processes, len(captions) // CAPTIONS_A_PROCESS))
    bounds = [len(captions) * part // count for part in range(count + 1)]
    parts = [(captions[start:end], references[start:end]) for start, end in pairwise(bounds)]
    others = [_started(*part) for part in parts[1:]]
    try:
        rows = [statistics(*parts[0], language), *map(_finished, others)]
    finally:
        for other in others:
            other.kill()
            other.wait()
    return np.concatenate(rows)


def by_java(captions: Sequence[str], references: References, java: str, memory: str, seconds: float) -> Array:
    """Rows (N, 23). Raises NotComputed where Java or the program is missing, fails or hangs."""
    files = InstalledFiles.find()
    command = [find_java(java, "METEOR"), f"-Xmx{memory}", "-Dfile.encoding=UTF-8", "-jar", str(files.jar)]
    command += ["-", "-", "-stdio", "-l", "en", "-norm"]
    question = "".join(
        " ||| ".join(["SCORE", *map(one_line, [*of_image, caption])]) + "\n"
        for caption, of_image in zip(captions, references, strict=True)
    )
    answer = run_java(command, seconds, "METEOR", question=question.encode()).decode()
    try:
        rows = np.array([line.split() for line in answer.splitlines()], np.float64)
        return without_perfect_chunks(rows.reshape(len(captions), len(COLUMNS)))
    except ValueError:
        raise NotComputed(
            f"METEOR's program gave {len(answer.splitlines())} answers for {len(captions)} captions, the "
            f"last one {answer[-200:].strip()!r}. Type scorer.meteor.engine=python"
        ) from None


def _started(captions: Sequence[str], references: References) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "evaluator.scorers.meteor15.engines"]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    with suppress(BrokenPipeError), process.stdin as stream:  # of one that died `_finished` tells
        stream.write(json.dumps([captions, references]).encode())
    return process


def _finished(process: subprocess.Popen[bytes]) -> Array:
    assert process.stdout is not None
    with process.stdout as stream:
        answer = stream.read()
    if process.wait():
        raise NotComputed("a process of METEOR was ended. Type scorer.meteor.processes=1 to use one")
    rows: Array = np.load(io.BytesIO(answer))
    return rows


def main() -> None:
    captions, references = json.load(sys.stdin)
    np.save(sys.stdout.buffer, statistics(captions, references, load_language()))


if __name__ == "__main__":
    main()
