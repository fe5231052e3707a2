"""The bytes of a response: bounded, decompressed, decoded; the first step from a server's bytes to a reply.

    bytes -> text -> JSON -> checked values -> Reply
    wire.py          answers.py                a provider's `read`

Nothing that a server sends may take more memory than a client allows it, or raise anything here.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping

# A caption with its reasoning and the log probabilities of its tokens takes well below one megabyte.
MAX_BODY_BYTES = 4_000_000
MAX_BATCH_BYTES = 1_000_000_000
COMPRESSED = ("gzip", "x-gzip", "deflate")


class ErrorResponse(Exception):
    """A response that is no answer: a redirect, a refusal, an error of the server."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        super().__init__(f"status {status}")  # the SDKs log it: without the body
        self.status = status
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.body = body


class OtherAddress(Exception):
    """A request would go to another server than the configured one."""


class BoundedBody:
    """Takes a body piece by piece, decompresses it, and is `full` at `most` bytes or where it is broken."""

    def __init__(self, encoding: str, most: int = MAX_BODY_BYTES) -> None:
        self.left = most
        # The window size with 32 added recognizes gzip and zlib by their first bytes.
        is_compressed = encoding.strip().lower() in COMPRESSED
        self._decompressor = zlib.decompressobj(zlib.MAX_WBITS | 32) if is_compressed else None

    @property
    def full(self) -> bool:
        return self.left <= 0

    def take(self, piece: bytes) -> bytes:
        """What the next piece adds to the body."""
        if self.full:  # to zlib a limit of 0 means none
            return b""
        if self._decompressor is not None:
            try:
                piece = self._decompressor.decompress(piece, self.left)
            except zlib.error:
                self.left = 0
                return b""
        piece = piece[: self.left]
        self.left -= len(piece)
        return piece


def text_of(body: bytes) -> str:
    """The text of a body. JSON is UTF-8 whatever the content type says (RFC 8259, section 8.1)."""
    return body.decode("utf-8", "replace")
