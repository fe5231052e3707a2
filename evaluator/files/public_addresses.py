"""Connections to the public network only: addresses in somebody else's list must not reach this machine.

Loopback, private, link-local, shared and reserved networks are refused (RFC 6890). The connection is made to
the very address that was checked, so that a name cannot mean another machine a moment later.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import urllib.request
from typing import Any

from evaluator.core.errors import ImageError

NAT64 = ipaddress.ip_network("64:ff9b::/96")  # IPv6 addresses that hold an IPv4 address (RFC 6052)


def refuse_private(host: str) -> None:
    """Raise ImageError where this IP address is not one of the public network.

    >>> refuse_private("1.1.1.1")
    >>> refuse_private("::ffff:127.0.0.1")
    Traceback (most recent call last):
    evaluator.core.errors.ImageError: ::ffff:127.0.0.1 is an address of this machine or of a private network
    """
    address = ipaddress.ip_address(host.partition("%")[0])
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    if address in NAT64:
        inner = ipaddress.ip_address(int(address) & 0xFFFF_FFFF)
    if not inner.is_global or inner.is_multicast:
        raise ImageError(f"{host} is an address of this machine or of a private network")


def connect_to_public(place: tuple[str, int], timeout: Any = None, source: Any = None) -> socket.socket:
    """Like socket.create_connection, for public addresses only; the first that can be reached is taken."""
    failure: OSError | None = None
    for *_, found in socket.getaddrinfo(*place, type=socket.SOCK_STREAM):
        refuse_private(str(found[0]))
        try:
            return socket.create_connection((str(found[0]), int(found[1])), timeout, source)
        except OSError as error:
            failure = error
    raise failure or OSError(f"{place[0]}: the name has no address")


class _PublicHTTP(http.client.HTTPConnection):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = connect_to_public  # what http.client connects by


class _PublicHTTPS(http.client.HTTPSConnection):
    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._create_connection = connect_to_public


class PublicHTTPHandler(urllib.request.HTTPHandler):
    """Opens http addresses of the public network only, also after a redirect."""

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PublicHTTP, req)


class PublicHTTPSHandler(urllib.request.HTTPSHandler):
    """The same for https; the certificate is still checked against the name."""

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_PublicHTTPS, req, context=self._context)  # type: ignore[attr-defined]
