"""Who may ask the web app: everything passes here before it reaches a page.

A browser opens the address that the command printed, with its token, once; from then on a cookie stands for
it. The address with the token shows no run: a small page sets the cookie and leads on. So the cookie, which
is SameSite=Strict, is sent by a page of this site, also where the address stood in somebody's mail. The name
of the host is checked, since a page elsewhere can let its own name point to this machine (DNS rebinding).
"""

from __future__ import annotations

import hmac
import html
import ipaddress
import secrets
import socket
from collections.abc import Iterable
from urllib.parse import urlencode, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nothing from elsewhere, nothing inline, and no other site may show a page of this app within its own.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
LONGEST_POST = 64_000  # bytes
LOOPBACK = ("localhost", "127.0.0.1", "::1")

REFUSED = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<h1>{title}</h1><p>{message}</p></html>
"""
ENTRY = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>evaluator</title>
<meta http-equiv="refresh" content="0; url={target}"><p><a href="{target}">Continue</a></p></html>
"""


class Guard:
    """Lets a request through to the app that has the token, comes to this host, and from this site."""

    def __init__(self, app: ASGIApp, token: str, hosts: Iterable[str], is_open: bool = False) -> None:
        """`hosts` are the names that this machine is reached by; `is_open`: and by any of its addresses."""
        self._app = app
        self._token = token
        self._hosts = frozenset(map(str.lower, hosts))
        self._is_open = is_open
        self._tickets: set[str] = set()
        # Cookies do not know ports: two apps on one machine have cookies of their own.
        self._cookie = f"evaluator-{hmac.digest(token.encode(), b'cookie', 'sha256').hex()[:8]}"

    def ticket(self) -> str:
        """A token that opens the app once, for a command line that other users of the machine can read."""
        ticket = secrets.token_urlsafe(24)
        self._tickets.add(ticket)
        return ticket

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["type"] != "http":
            return
        request = Request(scope)
        response = self._refused(request) or self._entered(request)
        await (response or self._app)(scope, receive, send_with_headers)

    def _refused(self, request: Request) -> Response | None:
        if not self._is_this_host(request.headers.get("host", "")):
            return refused(421, "Wrong address", "This address is not that of the machine.")
        if request.method not in ("GET", "HEAD", "POST"):
            return refused(405, "Not possible", "The app is asked by GET and POST.")
        if request.method == "POST":
            return refused_post(request)
        return None

    def _entered(self, request: Request) -> Response | None:
        """The way in: None for who is in already."""
        given = request.query_params.get("token", "")
        if request.method == "GET" and given and self._takes(given):
            rest = [(name, value) for name, value in request.query_params.multi_items() if name != "token"]
            path = f"/{request.url.path.lstrip('/')}"  # with two strokes it would be another host
            target = path + (f"?{urlencode(rest)}" if rest else "")
            response = HTMLResponse(ENTRY.format(target=html.escape(target)))
            response.set_cookie(self._cookie, self._token, httponly=True, samesite="strict", path="/")
            return response
        if same(request.cookies.get(self._cookie, ""), self._token):
            return None
        return refused(
            403,
            "No entry",
            "Open the address that the command printed, with its token: it is of this session.",
        )

    def _takes(self, given: str) -> bool:
        if ticket := next((each for each in self._tickets if same(each, given)), None):
            self._tickets.discard(ticket)
            return True
        return same(given, self._token)

    def _is_this_host(self, host: str) -> bool:
        """Whether the Host header names this machine. Its port may be that of a tunnel."""
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in self._hosts or (self._is_open and is_address(name))


def refused_post(request: Request) -> Response | None:
    """A post must come from a page of this app, as JSON, and be small."""
    origin = urlsplit(request.headers.get("origin", ""))
    if origin.netloc != request.headers.get("host") or origin.scheme not in ("http", "https"):
        return refused(403, "Not from here", "Another site sent this.")
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return refused(415, "Not JSON", "The app takes JSON.")
    length = request.headers.get("content-length", "")
    if not length.isdecimal():
        return refused(411, "No length", "The app takes only what says how long it is.")
    if int(length) > LONGEST_POST:
        return refused(413, "Too long", f"The app takes at most {LONGEST_POST:,} bytes.")
    return None


def refused(status: int, title: str, message: str) -> Response:
    return HTMLResponse(REFUSED.format(title=html.escape(title), message=html.escape(message)), status)


def same(one: str, other: str) -> bool:
    """Compared in a time that does not say where they differ."""
    return hmac.compare_digest(one.encode(errors="replace"), other.encode(errors="replace"))


def is_address(name: str) -> bool:
    """Whether a host is named by its address: no web page can let an address point elsewhere."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def names_of(host: str) -> tuple[str, ...]:
    """The names by which a browser may reach an app that listens on this host."""
    if host in LOOPBACK:
        return LOOPBACK
    own = (host, socket.gethostname(), f"{socket.gethostname()}.local")
    return (*LOOPBACK, *own) if is_every_address(host) else own


def is_every_address(host: str) -> bool:
    """Whether an app on this host can be reached by any address of the machine."""
    return host in ("0.0.0.0", "::")
