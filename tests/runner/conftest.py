"""The server of the tests, in a process of its own: its counts outlive a client that is killed."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
# Whatever the environment says of proxies is for others.
OPEN = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


@dataclass(frozen=True)
class Server:
    url: str

    def behave(self, **fields: Any) -> None:
        """Set the arguments of ProviderServer.behave, and begin to count anew."""
        with OPEN(urllib.request.Request(f"{self.url}/behave", json.dumps(fields).encode())) as response:
            response.read()

    def counts(self) -> dict[str, Any]:
        with OPEN(f"{self.url}/counts") as response:
            found: dict[str, Any] = json.loads(response.read())
            return found

    @property
    def answered(self) -> dict[str, int]:
        """How often each item was answered; asks the service."""
        found: dict[str, int] = self.counts()["answered"]
        return found

    @property
    def requests(self) -> int:
        return sum(self.counts()["statuses"].values())


@pytest.fixture(scope="session")
def running_server() -> Iterator[Server]:
    line = [sys.executable, "-m", "tests.provider_server"]
    process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stdout is not None
    try:
        yield Server(f"http://127.0.0.1:{int(process.stdout.readline())}")
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def server(running_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Server:
    """With counts and a cache of answers that begin anew."""
    monkeypatch.setenv("EVALUATOR_CACHE", str(tmp_path / "cache"))
    running_server.behave()
    return running_server
