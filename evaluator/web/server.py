"""The web app's server: uvicorn in a thread of its own, so that the command can caption meanwhile."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from evaluator.core.errors import ConfigError
from evaluator.web.guard import LOOPBACK, Guard, is_every_address, names_of

PORT = 8765  # where it is free; an address that stays the same can be given to a tunnel
SECONDS_TO_START = 30.0
SECONDS_TO_END = 3


@dataclass(frozen=True)
class Served:
    """An app that is being served."""

    guard: Guard
    thread: threading.Thread
    host: str
    port: int
    token: str

    def addresses(self, page: str = "/") -> list[str]:
        """Where a browser finds the page; of an app that others may reach, by each name of the machine."""
        hosts = ["127.0.0.1", socket.gethostname()] if is_every_address(self.host) else [self.host]
        return [self._address(host, page, self.token) for host in hosts]

    @property
    def is_for_others(self) -> bool:
        """Whether other machines can reach it."""
        return self.host not in LOOPBACK

    def open(self, page: str = "/") -> None:
        """Open the page in the user's browser. Other users can read command lines: the token works once."""
        host = "127.0.0.1" if is_every_address(self.host) else self.host
        with suppress(webbrowser.Error):
            webbrowser.open(self._address(host, page, self.guard.ticket()))

    def wait(self) -> None:
        """Until the end of the server. Ctrl-C raises KeyboardInterrupt."""
        while self.thread.is_alive():
            self.thread.join(1.0)

    def _address(self, host: str, page: str, token: str) -> str:
        host = f"[{host}]" if ":" in host else host
        return f"http://{host}:{self.port}{page}{'&' if '?' in page else '?'}token={token}"


@contextmanager
def serving(app: ASGIApp, host: str, port: int | None) -> Iterator[Served]:
    """The app at an address that only who has its token can use. Raises ConfigError for one that is taken."""
    token = secrets.token_urlsafe(24)
    guard = Guard(app, token, names_of(host), is_open=is_every_address(host))
    listener = listening(host, port)
    server = uvicorn.Server(
        uvicorn.Config(
            guard,
            http="h11",
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,  # it would hold the token
            server_header=False,
            proxy_headers=False,
            limit_concurrency=200,
            timeout_graceful_shutdown=SECONDS_TO_END,
        )
    )
    thread = threading.Thread(target=server.run, args=([listener],), name="web app", daemon=True)
    thread.start()
    deadline = time.monotonic() + SECONDS_TO_START
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield Served(guard, thread, host, listener.getsockname()[1], token)
    finally:
        server.should_exit = True
        thread.join(2 * SECONDS_TO_END)
        listener.close()


def listening(host: str, port: int | None) -> socket.socket:
    """A socket at this port; without one, at PORT or at any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for number in (PORT, 0) if port is None else (port,):
        try:
            return socket.create_server((host, number), family=family)
        except (OSError, OverflowError) as error:
            problem = error
    reason = getattr(problem, "strerror", None) or problem
    raise ConfigError(f"cannot listen at {host}, port {number}: {reason}. Type another --host or --port")


def has_browser() -> bool:
    """Whether a window of a browser can open here: not on a server that somebody is logged in to."""
    if any(os.environ.get(name) for name in ("SSH_CONNECTION", "SSH_TTY")):
        return False
    if sys.platform not in ("darwin", "win32") and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")
    ):
        return False
    return sys.stdout.isatty()
