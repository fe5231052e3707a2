"""A real file system that is full after some kilobytes, where the tests may mount one."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest


@contextmanager
def small_disk(path: Path, kilobytes: int) -> Iterator[Path]:
    path.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={kilobytes}k", "tmpfs", str(path)]
    subprocess.run(mount, check=True, capture_output=True)
    try:
        yield path
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True, capture_output=True)


@cache
def can_mount() -> bool:
    if not shutil.which("mount"):
        return False
    try:
        with tempfile.TemporaryDirectory() as folder, small_disk(Path(folder, "disk"), kilobytes=16):
            return True
    except subprocess.CalledProcessError:
        return False


needs_a_small_disk = pytest.mark.skipif(not can_mount(), reason="a small disk cannot be mounted here")
