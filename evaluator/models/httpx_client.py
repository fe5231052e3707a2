"""The HTTP client that the SDKs of OpenAI, Anthropic and Google get.

Its hooks see every request before it is sent and every response before its body is read, so they hold
whatever the SDK does: no request leaves for another address, no redirect is followed, no header of another
account is sent, no body is longer than the limit, and only a response with status 2xx reaches the SDK.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx2

from evaluator.models.wire import MAX_BODY_BYTES, BoundedBody, ErrorResponse, OtherAddress

# More than any runner has in flight: the runner alone limits the number of requests.
MAX_CONNECTIONS = 1000
# What a server gets that is not the provider's own. An SDK also sends what it finds in the environment, such
# as OPENAI_ORG_ID or ANTHROPIC_CUSTOM_HEADERS, to whatever address it is given.
NEEDED_HEADERS = frozenset(
    {
        *("host", "accept", "accept-encoding", "connection", "content-type", "content-length"),
        *("transfer-encoding", "user-agent", "anthropic-version", "idempotency-key"),
    }
)
NEEDED_PREFIXES = ("x-stainless-", "x-goog-api-client", "x-goog-upload-", "x-server-timeout")
KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")


def client_options(
    base_url: str, own_domain: str, key: str, timeout_seconds: float, most_bytes: int = MAX_BODY_BYTES
) -> dict[str, Any]:
    """The arguments of an httpx2.AsyncClient for the server at `base_url`.

    `own_domain` is the provider's; servers elsewhere get the key and what the request needs, nothing else.
    No body is longer than `most_bytes`.
    """
    address = httpx2.URL(base_url)
    is_own = address.host == own_domain or address.host.endswith(f".{own_domain}")

    async def check_request(request: httpx2.Request) -> None:
        if origin(request.url) != origin(address):
            raise OtherAddress(f"a request to {request.url.host} instead of {address.host} was not sent")
        if not is_own:
            for name in [name for name in request.headers if not is_needed(name, request.headers[name], key)]:
                del request.headers[name]

    async def check_response(response: httpx2.Response) -> None:
        encoding = response.headers.pop("content-encoding", "")
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        response.stream = BoundedStream(response.stream, encoding, most_bytes)
        response.encoding = "utf-8"
        if not 200 <= response.status_code < 300:
            raise ErrorResponse(
                response.status_code, response.headers, (await response.aread())[:MAX_BODY_BYTES]
            )
        response.status_code = 200  # Google's SDK takes no other status for a success

    return {
        "limits": httpx2.Limits(max_connections=MAX_CONNECTIONS, max_keepalive_connections=MAX_CONNECTIONS),
        "timeout": timeout_seconds,
        "follow_redirects": False,
        "event_hooks": {"request": [check_request], "response": [check_response]},
        "headers": {"accept-encoding": "gzip, deflate"},  # what BoundedBody can decompress
    }


class BoundedStream(httpx2.AsyncByteStream):
    """The decompressed body of a response, which ends early where it is too long."""

    def __init__(self, stream: httpx2.AsyncByteStream, encoding: str, most_bytes: int) -> None:
        self._stream, self._encoding, self._most_bytes = stream, encoding, most_bytes

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body = BoundedBody(self._encoding, self._most_bytes)
        async for piece in self._stream:
            yield body.take(piece)
            if body.full:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


def origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def is_needed(name: str, value: str, key: str) -> bool:
    """Whether a server that is not the provider's own gets this header."""
    if name in KEY_HEADERS:
        return value.removeprefix("Bearer ") == key
    return name in NEEDED_HEADERS or name.startswith(NEEDED_PREFIXES)
