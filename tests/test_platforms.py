"""Systems that lack what POSIX has, such as Windows: the main commands need none of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.runner.conftest import Server, running_server, server

__all__ = ["running_server", "server"]

# The standard library of Linux and some packages use a few of these names: they are imported first.
WITHOUT_POSIX = """
import asyncio, concurrent.futures, logging, multiprocessing.pool, os, signal, subprocess, sys, tempfile
import filelock, hydra, jinja2, numpy, pandas, pyarrow, pydantic, rich.console, scipy.stats

for module in ("fcntl", "grp", "posix_ipc", "pwd", "resource", "syslog", "termios", "tty", "pty", "crypt"):
    sys.modules[module] = None
for name in (
    "O_NOFOLLOW", "O_DIRECTORY", "O_NOCTTY", "O_CLOEXEC", "fchmod", "fork", "forkpty",
    "geteuid", "getgid", "getpgid", "getuid", "getpgrp", "killpg", "mkfifo", "mknod", "nice", "posix_fadvise",
    "posix_fallocate", "pread", "preadv", "pwrite", "sched_getaffinity", "sched_yield", "setpgid", "setsid",
    "statvfs", "sysconf", "tcgetpgrp", "uname",
):
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGHUP", "SIGKILL", "SIGALRM", "SIGTSTP", "SIGCONT", "SIGUSR1", "SIGUSR2", "SIGWINCH",
             "SIGXFSZ", "alarm", "setitimer", "siginterrupt", "pthread_kill", "sigwait"):
    if hasattr(signal, name):
        delattr(signal, name)

def not_here(*_):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = asyncio.SelectorEventLoop.remove_signal_handler = not_here

from evaluator.cli.main import cli
from evaluator.cli.console import ExitCode

for command in {commands!r}:
    code = cli.main(command, standalone_mode=False) or ExitCode.OK
    assert code == ExitCode.OK, (command, code)
print("all of it ran")
"""


def test_the_main_commands_need_nothing_of_posix(
    own_copy: Path, server: Server, references: Callable[..., Path], tmp_path: Path
) -> None:
    """Score, run (a local and a remote model), compare, report and leaderboard, in one process."""
    facts = {number: [f"a dog number {number}", "a dog"] for number in (1, 2, 3)}
    references(facts)
    captions = [{"image_id": number, "caption": f"a dog {number}"} for number in facts]
    (tmp_path / "captions.json").write_text(json.dumps(captions), encoding="utf-8")
    text_metrics = "scorer=[bleu,rouge,cider]"
    data = ["data=coco", "data.annotations=references.json", text_metrics, "--config-dir", str(own_copy)]
    commands = [
        ["score", "captions.json", "--references", "references.json", text_metrics],
        ["run", "model=scripted", "name=local", *data],
        ["run", "model=remote", f"model.url={server.url}", "name=remote", *data],
        ["compare", "runs/local", "runs/captions"],
        ["report", "runs/local", "runs/remote", "--output", "report.html"],
        ["leaderboard", "runs/local", "runs/captions"],
    ]
    script = WITHOUT_POSIX.replace("{commands!r}", repr(commands))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout.endswith("all of it ran\n")
    assert (tmp_path / "report.html").stat().st_size
