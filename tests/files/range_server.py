"""A server on loopback that sends parts of files, and that breaks off and lies when told to."""

from __future__ import annotations

import re
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler


@dataclass
class RangeServer:
    files: Mapping[str, bytes]
    breaks_after: int | None = None  # bytes that one answer sends at most
    claims_more: int = 0  # bytes that are promised and not sent
    sends_ranges: bool = True
    address: str = ""
    requests: Counter[str] = field(default_factory=Counter)
    sent: int = 0


@contextmanager
def range_server(server: RangeServer) -> Iterator[RangeServer]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.requests[self.path] += 1
            content = server.files.get(self.path)
            if content is None:
                self.send_error(404)
                return
            wanted = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
            start = int(wanted[1]) if wanted and server.sends_ranges else 0
            if start and start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            rest = content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            self.send_header("Content-Length", str(len(rest) + server.claims_more))
            self.end_headers()
            rest = rest[: server.breaks_after]
            server.sent += len(rest)
            self.wfile.write(rest)

        def log_message(self, *_: object) -> None:
            pass

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        server.address = f"http://127.0.0.1:{listening.server_address[1]}"
        try:
            yield server
        finally:
            listening.shutdown()
