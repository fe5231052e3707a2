"""A real process that begins as a copy of the test's own, for the command line and for scripts.

A new interpreter imports torch and transformers again, which takes seconds; a copy has them. In all else it
is a process like any other, with a folder, an environment, two streams and an end of
its own: it can be killed.

    Forked(command_line("run", "model=tiny-git"), folder).finish().stdout
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Thread

# What takes the time of a start. A package that is not installed is left to the process.
SLOW_TO_IMPORT = (
    *("evaluator.evaluate", "evaluator.cli.main", "hydra.compose", "pandas", "pyarrow.parquet", "inflect"),
    *("scipy.optimize", "scipy.stats", "torch", "transformers.modeling_utils"),
    *(
        "transformers.generation.utils",
        "transformers.models.auto.processing_auto",
        "transformers.models.auto.modeling_auto",
    ),
)
# Python's own choice, where pytest makes an error of each warning.
NOT_SHOWN = (DeprecationWarning, PendingDeprecationWarning, ImportWarning, ResourceWarning)


def command_line(*arguments: object) -> Callable[[], None]:
    """What a process does that runs `evaluator ARGUMENTS`."""

    def run() -> None:
        from evaluator.cli.main import main

        sys.argv = ["evaluator", *map(str, arguments)]
        main()

    return run


class Forked:
    """A process that calls `action` in a folder, with an environment of its own or the test's.

    `imports` are made before it begins.
    """

    def __init__(
        self,
        action: Callable[[], object],
        folder: Path,
        environment: Mapping[str, str] | None = None,
        imports: Sequence[str] = SLOW_TO_IMPORT,
    ) -> None:
        for module in imports:
            with suppress(ImportError):
                import_module(module)
        variables = dict(os.environ if environment is None else environment)
        # Pipes, since a file would be as full as the disk that a test pretends to have.
        reading, writing = zip(os.pipe(), os.pipe(), strict=True)
        self._process = multiprocessing.get_context("fork").Process(
            target=_become, args=(action, folder, variables, writing)
        )
        self._process.start()
        self._printed = [b"", b""]
        self._readers = [Thread(target=self._read, args=numbered) for numbered in enumerate(reading)]
        for pipe, reader in zip(writing, self._readers, strict=True):
            os.close(pipe)
            reader.start()

    @property
    def returncode(self) -> int | None:
        """None while it runs; minus the number of the signal that ended it."""
        return self._process.exitcode

    def send_signal(self, number: signal.Signals) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def finish(self, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
        """What it has printed, and its exit code, once it has ended. Raises TimeoutExpired."""
        self._process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("a forked process", timeout or 0.0)
        for reader in self._readers:
            reader.join()
        output, errors = (content.decode() for content in self._printed)
        return subprocess.CompletedProcess([], self.returncode, output, errors)

    def _read(self, number: int, pipe: int) -> None:
        with open(pipe, "rb") as stream:
            self._printed[number] = stream.read()


def _become(
    action: Callable[[], object], folder: Path, environment: Mapping[str, str], pipes: Sequence[int]
) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    if (hub := sys.modules.get("huggingface_hub.constants")) and "HF_HUB_CACHE" in environment:
        hub.HF_HUB_CACHE = environment["HF_HUB_CACHE"]  # type: ignore[attr-defined]
    for pipe, number in zip(pipes, (1, 2), strict=True):
        os.dup2(pipe, number)
        os.close(pipe)
    sys.stdout, sys.stderr = (open(number, "w", closefd=False) for number in (1, 2))  # noqa: SIM115
    logging.getLogger().handlers.clear()
    warnings.resetwarnings()
    for category in NOT_SHOWN:
        warnings.simplefilter("ignore", category)
    if torch := sys.modules.get("torch"):
        # It replaces its pool of threads once after a fork, and not safely where two threads ask at a time.
        torch.set_num_threads(torch.get_num_threads())
    action()
