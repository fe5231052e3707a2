"""Pictures from addresses: http and https only, in bounded time and size."""

from __future__ import annotations

import hashlib
import http.client
import posixpath
import re
import time
import urllib.error
import urllib.request
from http.client import HTTPMessage
from pathlib import Path
from typing import IO
from urllib.parse import unquote, urlsplit

from evaluator.core.errors import ImageError
from evaluator.files.atomic import replacing

MOST_BYTES = 100_000_000
SECONDS_WITHOUT_DATA = 30.0
SECONDS_IN_ALL = 300.0
CHUNK_BYTES = 1 << 16


ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether a text is an address, of whatever scheme."""
    return ADDRESS.match(text) is not None


def download(address: str, folder: Path) -> Path:
    """The file at an address, as a file of its name in the folder.

    Raises ImageError where the scheme is another one, also after a redirect, where the server does not give
    the file, and beyond the limits of this module.
    """
    _check_scheme(address)
    opener = urllib.request.build_opener(_SafeRedirects)
    digest = hashlib.sha256(address.encode(errors="surrogatepass")).hexdigest()[:12]
    try:
        name = posixpath.basename(unquote(urlsplit(address).path)).replace("\0", "")[-80:] or "picture"
        path = folder / f"{digest}-{name}"
        request = urllib.request.Request(address, headers={"User-Agent": "evaluator"})
        with opener.open(request, timeout=SECONDS_WITHOUT_DATA) as answer, replacing(path) as temporary:
            _save(answer, temporary)
    except ImageError as error:
        raise ImageError(f"{address}: {error}") from error
    except urllib.error.HTTPError as error:
        error.close()
        raise ImageError(f"{address}: the server answers {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise ImageError(f"{address}: cannot be downloaded: {reason}") from error
    return path


def _save(answer: IO[bytes], path: Path) -> None:
    deadline, size = time.monotonic() + SECONDS_IN_ALL, 0
    length = getattr(answer, "length", None)
    with path.open("wb") as file:
        while chunk := answer.read(CHUNK_BYTES):
            file.write(chunk)
            size += len(chunk)
            if size > MOST_BYTES:
                raise ImageError(f"more than {MOST_BYTES // 1_000_000} MB, which no picture should have")
            if time.monotonic() > deadline:
                raise ImageError(f"not complete after {SECONDS_IN_ALL:.0f} s")
    if length is not None and size < length:
        raise ImageError(f"the connection ended after {size:,} of {length:,} bytes")


def _check_scheme(address: str) -> None:
    found = ADDRESS.match(address)
    scheme = found[1].lower() if found else "this"
    if scheme not in ("http", "https"):
        raise ImageError(f"{address}: only http and https addresses are downloaded, not {scheme}")


class _SafeRedirects(urllib.request.HTTPRedirectHandler):
    """Follows a redirect to http or https only: urllib would also go to ftp."""

    max_redirections = 5

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        try:
            _check_scheme(newurl)
        except ImageError:
            fp.close()
            raise
        return super().redirect_request(req, fp, code, msg, headers, newurl)
