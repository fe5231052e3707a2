"""Large files from addresses: a broken connection is resumed, also in the next command.

pooch checks what arrived against the checksum and puts it in its place; this module is its downloader. What
has arrived so far is kept beside the file, as NAME.part, until the file is whole.
"""

from __future__ import annotations

import http.client
import logging
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.core.errors import DataError, ImageError, MissingPackage
from evaluator.files.downloads import web_opener
from evaluator.files.regular_file import in_megabytes

logger = logging.getLogger(__name__)

SECONDS_WITHOUT_DATA = 30.0
FIRST_WAIT_SECONDS = 1.0  # doubled after each attempt that brought nothing
ATTEMPTS_IN_VAIN = 5
MOST_ATTEMPTS = 200
CHUNK_BYTES = 1 << 18
BROKEN = (http.client.HTTPException, urllib.error.URLError, ConnectionError, TimeoutError, ssl.SSLError)

# Called with the bytes so far, and with those of the whole file where the server says so.
Shown = Callable[[int, int | None], object]


def download_whole(address: str, path: Path, digest: str | None, limit: int, shown: Shown) -> None:
    """Put the file at an address into its place. A file that is there with the right checksum is kept.

    `digest` is such as "sha256:4f7e2c...". Raises DataError where the server does not give the file, where
    there are more than `limit` bytes, and where the checksum is another one; then nothing is kept. After any
    other failure the next call resumes where this one ended.
    """
    try:
        import pooch
    except ImportError as error:
        raise MissingPackage("pooch", "data") from error
    pooch.get_logger().setLevel(logging.WARNING)
    part = path.with_name(f"{path.name}.part")
    if digest is None:
        if path.exists():
            return
        part.unlink(missing_ok=True)  # nothing would tell that its end is of another version of the file
    try:
        downloader = Resumed(part, limit, shown)
        pooch.retrieve(address, digest, path.name, str(path.parent), downloader=downloader)
    except ValueError as error:
        raise DataError(
            f"{address}: the file is not the published one: its checksum is not {digest}. It was deleted. "
            "Type the same command again, or another --mirror"
        ) from error


@dataclass(frozen=True)
class Resumed:
    """pooch's downloader: it resumes broken connections, and begins with what is in `part`."""

    part: Path
    limit: int
    shown: Shown

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        in_vain, wait = 0, FIRST_WAIT_SECONDS
        for _ in range(MOST_ATTEMPTS):
            before = self._size()
            if self._attempt(url):
                self.part.replace(output_file)
                return
            in_vain = 0 if self._size() > before else in_vain + 1
            if in_vain >= ATTEMPTS_IN_VAIN:
                break
            if in_vain:
                time.sleep(wait)
                wait *= 2
        raise DataError(
            f"{url}: the connection broke after {in_megabytes(self._size())}, and again each time. Type the "
            "same command again to resume"
        )

    def _size(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self, url: str) -> bool:
        """Whether the file is complete after one request for the rest of it."""
        have = self._size()
        headers = {"User-Agent": "evaluator", **({"Range": f"bytes={have}-"} if have else {})}
        try:
            request = urllib.request.Request(url, headers=headers)
            with web_opener().open(request, timeout=SECONDS_WITHOUT_DATA) as answer:
                return self._save(answer, have if _goes_on_at(answer, have) else 0, url)
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 416:  # there is nothing after what we have
                    if _whole_size(error) == have:
                        return True
                    self.part.unlink(missing_ok=True)
                elif error.code not in (408, 429) and error.code < 500:
                    raise DataError(f"{url}: the server answers {error.code} {error.reason}") from error
        except (ImageError, ValueError) as error:  # another scheme, or no address at all
            raise DataError(f"{url}: {error}") from error
        except BROKEN as error:
            logger.info("%s: %s; resumed after %s bytes", url, error, f"{self._size():,}")
        return False

    def _save(self, answer: http.client.HTTPResponse, have: int, url: str) -> bool:
        """Write the rest of the file after the first `have` bytes; whether all that was promised came."""
        whole = None if answer.length is None else have + answer.length
        if whole is not None and whole > self.limit:
            raise self._too_large(url)
        with self.part.open("r+b" if have else "wb") as file:
            file.seek(have)
            file.truncate()
            while chunk := answer.read1(CHUNK_BYTES):
                have += len(chunk)
                if have > self.limit:
                    self.part.unlink()
                    raise self._too_large(url)
                file.write(chunk)
                self.shown(have, whole)
        return whole is None or have == whole

    def _too_large(self, url: str) -> DataError:
        return DataError(
            f"{url}: the server sends more than {in_megabytes(self.limit)}: not the published file"
        )


def _goes_on_at(answer: http.client.HTTPResponse, have: int) -> bool:
    """Whether the answer holds what follows the bytes that we have; else it is the whole file."""
    if answer.status != 206:
        return False
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    if not found or int(found[1]) != have:
        raise DataError(f"{answer.geturl()}: the server sends another part of the file than was asked for")
    return True


def _whole_size(answer: urllib.error.HTTPError) -> int | None:
    """The size of the whole file, as the answer 416 tells it."""
    found = re.fullmatch(r"bytes \*/(\d+)", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else None
