"""What the commands share that open the web app: their options, and how they say where it is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import click

from evaluator.cli.console import echo, warn
from evaluator.core.errors import MissingPackage

if TYPE_CHECKING:
    from starlette.applications import Starlette

    from evaluator.web.server import Served


@dataclass(frozen=True)
class WebOptions:
    """Where the app is served, and whether a browser is opened; None: where there is one."""

    host: str
    port: int | None
    browser: bool | None

    @contextmanager
    def serving(self, make: Callable[[], Starlette], page: str = "/") -> Iterator[Served]:
        """Serve an app, print the address of its page, and open it. Raises MissingPackage."""
        from evaluator.web.server import has_browser, serving

        with serving(make(), self.host, self.port) as served:
            for address in served.addresses(page):
                echo(address)
            if served.is_for_others:
                warn(
                    [
                        "everybody who has this address can read the captions and see the pictures, and what "
                        "is sent is not encrypted. Use it in a network that you trust"
                    ]
                )
            if has_browser() if self.browser is None else self.browser:
                served.open(page)
            yield served


def until_ctrl_c(served: Served, message: str) -> None:
    """Print how to end the app, and wait for that. Ctrl-C may come as soon as it is printed."""
    with suppress(KeyboardInterrupt):
        echo(message)
        served.wait()


def web_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The command takes --host, --port and --open, as one `WebOptions`."""

    @functools.wraps(function)
    def command(*, host: str, port: int | None, browser: bool | None, **others: Any) -> Any:
        for package in ("starlette", "uvicorn"):
            if find_spec(package) is None:
                raise MissingPackage(package, "web")
        return function(web=WebOptions(host, port, browser), **others)

    for option in (OPEN, PORT, HOST):
        command = option(command)
    return command


HOST = click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="The address to listen at. 0.0.0.0 lets other machines of the network in, with the printed address.",
)
PORT = click.option(
    "--port", type=click.IntRange(0, 65535), help="The port; 8765 by default, or another if that is taken."
)
OPEN = click.option(
    "--open/--no-browser",
    "browser",
    default=None,
    help="Open the page in a browser, or only print its address. Default: open it on a desktop.",
)
