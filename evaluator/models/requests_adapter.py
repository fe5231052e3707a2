"""The same limits for an SDK that sends its requests by `requests`, in threads."""

from __future__ import annotations

import io
import threading
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from evaluator.models.wire import BoundedBody, ErrorResponse

PIECE_BYTES = 65_536


class BoundedAdapter(HTTPAdapter):  # type: ignore[misc]  # the package has no types
    """Keeps each answer's body for the thread that asked, and raises ErrorResponse for what is no answer.

    The SDK gets an empty object in its place, so that nothing in an answer can make it fail. A redirect is an
    ErrorResponse too, so `requests` never follows one.
    """

    def __init__(self, connections: int) -> None:
        super().__init__(pool_maxsize=connections)
        self._bodies: dict[int, bytes] = {}

    def send(self, request: PreparedRequest, stream: bool = False, **more: Any) -> Response:
        response = super().send(request, stream=True, **more)
        encoding = response.headers.pop("content-encoding", "")
        body = BoundedBody(encoding)
        pieces = []
        for piece in response.raw.stream(PIECE_BYTES, decode_content=False):
            pieces.append(body.take(piece))
            if body.full:
                response.raw.close()
                break
        content = b"".join(pieces)
        if not 200 <= response.status_code < 300:
            raise ErrorResponse(response.status_code, response.headers, content)
        self._bodies[threading.get_ident()] = content
        response.raw = io.BytesIO(b"{}")
        return response

    def take_body(self) -> bytes:
        """The body of the answer that this thread has just received."""
        return self._bodies.pop(threading.get_ident())
