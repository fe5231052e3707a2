"""Pictures from addresses: http and https only, in bounded time and size."""

from __future__ import annotations

import hashlib
import http.client
import posixpath
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, TypeVar
from urllib.parse import unquote, urlsplit

from evaluator.core.errors import ImageError
from evaluator.files.atomic import replacing
from evaluator.files.public_addresses import PublicHTTPHandler, PublicHTTPSHandler

Given = TypeVar("Given")
Result = TypeVar("Result")

MOST_BYTES = 100_000_000
SECONDS_WITHOUT_DATA = 30.0
SECONDS_IN_ALL = 300.0
CHUNK_BYTES = 1 << 16


ADDRESS = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether a text is an address, of whatever scheme."""
    return ADDRESS.match(text) is not None


def download(address: str, folder: Path, allow_private: bool = True) -> Path:
    """The file at an address, as a file of its name in the folder. Raises ImageError, as `download_to`."""
    path = folder / file_name(address)
    download_to(address, path, allow_private)
    return path


@contextmanager
def all_at_once(
    function: Callable[[Given], Result], items: Iterable[Given], threads: int
) -> Iterator[Iterator[Result]]:
    """The results for all items in their order; after an error or Ctrl-C, what has not begun never begins."""
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield pool.map(function, items)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def file_name(address: str) -> str:
    """A name for the file at an address: that of the address, and a digest that tells it from others."""
    digest = hashlib.sha256(address.encode(errors="surrogatepass")).hexdigest()[:12]
    try:
        named = posixpath.basename(unquote(urlsplit(address).path)).replace("\0", "")[-80:]
    except ValueError:  # the address cannot be read
        named = ""
    return f"{digest}-{named or 'picture'}"


def download_to(address: str, path: Path, allow_private: bool = True) -> None:
    """Put the file at an address into its place, whole or not at all.

    Raises ImageError where the scheme is another one, also after a redirect, where the server does not give
    the file, beyond the limits of this module, and for an address of this machine or of a private network
    where these are not allowed. A proxy of the environment is then not used, since it would hide them.
    """
    _check_scheme(address)
    try:
        request = urllib.request.Request(address, headers={"User-Agent": "evaluator"})
        with (
            web_opener(allow_private).open(request, timeout=SECONDS_WITHOUT_DATA) as answer,
            replacing(path) as temporary,
        ):
            _save(answer, temporary)
    except ImageError as error:
        raise ImageError(f"{address}: {error}") from error
    except urllib.error.HTTPError as error:
        error.close()
        raise ImageError(f"{address}: the server answers {error.code} {error.reason}") from error
    except (OSError, ValueError, http.client.HTTPException) as error:
        reason = getattr(error, "reason", None) or str(error) or type(error).__name__
        raise ImageError(f"{address}: cannot be downloaded: {reason}") from error


def web_opener(allow_private: bool = True) -> urllib.request.OpenerDirector:
    """Opens http and https addresses, and follows redirects to such addresses only."""
    public = () if allow_private else (urllib.request.ProxyHandler({}), PublicHTTPHandler, PublicHTTPSHandler)
    return urllib.request.build_opener(_SafeRedirects, *public)


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
