"""Large files from a server that drops connections, lies about the length, or has another file."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from evaluator.core.errors import DataError
from evaluator.files import resumed_downloads
from evaluator.files.resumed_downloads import download_whole
from tests.files.range_server import RangeServer, range_server

pytest.importorskip("pooch")
CONTENT = bytes(range(256)) * 40
DIGEST = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
LIMIT = len(CONTENT)


@pytest.fixture(autouse=True)
def without_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumed_downloads, "FIRST_WAIT_SECONDS", 0.0)
    monkeypatch.setattr(resumed_downloads, "CHUNK_BYTES", 1000)
    monkeypatch.setenv("no_proxy", "*")


def fetch(server: RangeServer, folder: Path, digest: str | None = DIGEST, limit: int = LIMIT) -> Path:
    download_whole(f"{server.address}/a.bin", folder / "a.bin", digest, limit, lambda done, whole: None)
    return folder / "a.bin"


def test_a_connection_that_breaks_goes_on_where_it_was(tmp_path: Path) -> None:
    with range_server(RangeServer({"/a.bin": CONTENT}, breaks_after=3000)) as server:
        assert fetch(server, tmp_path).read_bytes() == CONTENT
        assert server.requests["/a.bin"] == 4
        assert server.sent == len(CONTENT)
        fetch(server, tmp_path)
        assert server.requests["/a.bin"] == 4  # it is there, and right
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_the_next_command_goes_on(tmp_path: Path) -> None:
    with range_server(RangeServer({"/a.bin": CONTENT}, breaks_after=0)) as server:
        (tmp_path / "a.bin.part").write_bytes(CONTENT[:5000])
        with pytest.raises(DataError, match="the same command again to resume"):
            fetch(server, tmp_path)
        assert (tmp_path / "a.bin.part").read_bytes() == CONTENT[:5000]
        server.breaks_after = None
        assert fetch(server, tmp_path).read_bytes() == CONTENT
        assert server.sent == len(CONTENT) - 5000


def test_a_server_that_sends_no_parts_begins_again(tmp_path: Path) -> None:
    with range_server(RangeServer({"/a.bin": CONTENT}, sends_ranges=False)) as server:
        (tmp_path / "a.bin.part").write_bytes(b"something else")
        assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_a_server_that_promises_more_than_it_has(tmp_path: Path) -> None:
    """What came is the whole file, as the next answer says and the checksum confirms."""
    with range_server(RangeServer({"/a.bin": CONTENT}, claims_more=500)) as server:
        assert fetch(server, tmp_path, limit=LIMIT + 500).read_bytes() == CONTENT


@pytest.mark.parametrize(("limit", "digest"), [(LIMIT - 1, DIGEST), (100, None)])
def test_more_bytes_than_the_file_has(tmp_path: Path, limit: int, digest: str | None) -> None:
    with (
        range_server(RangeServer({"/a.bin": CONTENT})) as server,
        pytest.raises(DataError, match="the server sends more than 0 MB"),
    ):
        fetch(server, tmp_path, digest, limit)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [CONTENT[:-1] + b"x", CONTENT[:-500], b""])
def test_another_file_is_refused_and_nothing_is_kept(tmp_path: Path, content: bytes) -> None:
    with (
        range_server(RangeServer({"/a.bin": content})) as server,
        pytest.raises(DataError, match="its checksum is not sha256"),
    ):
        fetch(server, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_beginning_of_an_earlier_command_is_not_kept_either(tmp_path: Path) -> None:
    with range_server(RangeServer({"/a.bin": CONTENT})) as server:
        (tmp_path / "a.bin.part").write_bytes(b"x" * 5000)
        with pytest.raises(DataError, match="checksum"):
            fetch(server, tmp_path)
        assert fetch(server, tmp_path).read_bytes() == CONTENT


def test_a_file_that_is_not_there_is_asked_for_once(tmp_path: Path) -> None:
    with range_server(RangeServer({})) as server:
        with pytest.raises(DataError, match="the server answers 404"):
            fetch(server, tmp_path)
        assert server.requests["/a.bin"] == 1
