"""A file is replaced as a whole or stays as it was, and nothing else is left in its folder."""

from __future__ import annotations

import base64
import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from evaluator.core.errors import StoreError
from evaluator.files.atomic import replace_file, replacing


def write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def test_the_new_content_replaces_the_old(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    for content in (b"first", b"second"):
        write(path, content)
        assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_until_the_block_ends_the_old_content_is_seen(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write(path, b"old")
    with replacing(path) as temporary:
        temporary.write_bytes(b"new")
        assert temporary.parent == tmp_path
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [ValueError("a bug"), KeyboardInterrupt(), OSError(errno.ENOSPC, "full")])
def test_after_an_error_the_old_content_stays_alone(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a"
    write(path, b"old")

    def fail() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half of the n")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_leaves_the_old_content(tmp_path: Path) -> None:
    """A limit on the size of files stands for a full disk: the write stops in the middle."""
    path = tmp_path / "a"
    write(path, b"old")
    program = """
import resource, signal, sys
from pathlib import Path
from evaluator.core.errors import StoreError
from evaluator.files.atomic import replacing
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with replacing(Path(sys.argv[1])) as temporary:
        temporary.write_bytes(bytes(5000))
except OSError as error:
    print(error.strerror)
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert done.stdout == "File too large\n"
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_removed_its_file_fails_and_keeps_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write(path, b"old")
    with pytest.raises(FileNotFoundError), replacing(path) as temporary:
        temporary.unlink()
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_the_permissions_are_those_of_any_new_file(tmp_path: Path, umask: int) -> None:
    program = (
        "import sys; from pathlib import Path; from evaluator.files.atomic import replacing\n"
        "with replacing(Path(sys.argv[1])) as temporary: temporary.write_text('a')\n"
        "Path(sys.argv[2]).write_text('a')"
    )
    paths = [tmp_path / "replaced", tmp_path / "plain"]
    subprocess.run([sys.executable, "-c", program, *paths], check=True, umask=umask)
    replaced, plain = (stat.S_IMODE(path.stat().st_mode) for path in paths)
    assert replaced == plain == 0o666 & ~umask


def test_two_writers_at_once_do_not_mix(tmp_path: Path) -> None:
    path = tmp_path / "a"
    with replacing(path) as first, replacing(path) as second:
        assert first != second
        first.write_bytes(b"first")
        second.write_bytes(b"second")
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_name_and_a_missing_folder(tmp_path: Path) -> None:
    write(tmp_path / ("n" * 250), b"a")
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "nosuch" / "a"):
        pass
    assert os.listdir(tmp_path) == ["n" * 250]


@pytest.mark.parametrize("name", ["scores.json", "config.yaml", "report.html", "table.md"])
def test_no_file_of_text_holds_a_known_key(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "other-key-2718281828459045"
    monkeypatch.setenv("OTHER_API_KEY", key)
    for written in (key, key.upper(), base64.b64encode(f"x{key}".encode()).decode()):
        with pytest.raises(StoreError, match="would hold an API key") as raised:
            write(tmp_path / name, f"before {written} after".encode())
        assert key not in str(raised.value)
    assert list(tmp_path.iterdir()) == []
    write(tmp_path / name, b"the key is in OTHER_API_KEY")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_device_or_a_pipe_is_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not an ordinary file"):
        replace_file(tmp_path / "pipe", b"text")
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]
