"""Pictures from addresses, of a server on loopback that behaves as servers do, and worse."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest

from evaluator.core.errors import ImageError
from evaluator.files import downloads
from evaluator.files.downloads import download, is_address


@contextmanager
def file_server(files: Mapping[str, bytes | str]) -> Iterator[str]:
    """Its address. A file is sent as it is, a text is where to look instead; /short and /endless lie."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = files.get(self.path)
            if isinstance(answer, str):
                self.send_response(302)
                self.send_header("Location", answer)
                self.end_headers()
            elif self.path == "/short":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                self.wfile.write(b"x" * 10)
            elif self.path == "/endless":
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b"x" * 3000)
            elif answer is None:
                self.send_error(404)
            else:
                self.send_response(200)
                self.end_headers()
                self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


def test_a_file_keeps_its_name_and_two_of_one_name_are_two(tmp_path: Path) -> None:
    files = {"/a/b%20c.jpg?x=1": b"one", "/b%20c.jpg": b"two", "/": b"three", "/moved": "/b%20c.jpg"}
    with file_server(files) as address:
        paths = [download(f"{address}{path}", tmp_path) for path in files]
    assert [path.read_bytes() for path in paths] == [b"one", b"two", b"three", b"two"]
    assert [path.name[13:] for path in paths] == ["b c.jpg", "b c.jpg", "picture", "moved"]
    assert sorted(path for path in tmp_path.iterdir()) == sorted(paths)


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/gone.jpg", "the server answers 404"),
        ("/short", "the connection ended after 10 of 1,000 bytes"),
        ("/endless", "more than 0 MB"),
        ("/to-ftp", "only http and https addresses are downloaded, not ftp"),
        ("/to-file", "Redirection to url .* is not allowed"),
        ("/circle", "redirect"),
    ],
)
def test_what_a_server_may_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str, said: str) -> None:
    monkeypatch.setattr(downloads, "MOST_BYTES", 2000)
    files = {"/to-ftp": "ftp://host/x.jpg", "/to-file": "file:///etc/passwd", "/circle": "/circle"}
    with file_server(files) as address, pytest.raises(ImageError, match=said) as raised:
        download(f"{address}{path}", tmp_path)
    assert f"{address}{path}" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


def test_what_has_not_begun_never_begins_after_ctrl_c() -> None:
    begun: list[int] = []
    wait = threading.Event()

    def work(number: int) -> int:
        begun.append(number)
        wait.wait(10 if number else 0)
        return number

    def interrupted() -> None:
        with downloads.all_at_once(work, range(100), 2) as results:
            assert next(results) == 0
            threading.Timer(0.05, wait.set).start()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(begun) <= 4


def test_a_server_that_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "SECONDS_IN_ALL", -1.0)
    with file_server({"/a": b"x"}) as address, pytest.raises(ImageError, match="not complete after"):
        download(f"{address}/a", tmp_path)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:1/x.jpg",
        "http://",
        "http://[::1/x",
        "http://127.0.0.1:99999999/",
        "file:///etc/passwd",
    ],
)
def test_nothing_there(tmp_path: Path, address: str) -> None:
    with pytest.raises(ImageError):
        download(address, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.org/a.jpg?b=c", True),
        ("ftp://example.org/a.jpg", True),
        ("model.base_url=http://localhost:8000/v1", False),
        ("prompt.text=see http://x.org", False),
        ("photo.jpg", False),
        ("http://[::1", True),
    ],
)
def test_an_address_is_told_from_an_option(text: str, expected: bool) -> None:
    assert is_address(text) is expected
