"""Files that are written as a whole or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluator.core.secrets import refuse_known_keys_in

TEXT_SUFFIXES = (".json", ".jsonl", ".yaml", ".html", ".md", ".csv", ".tex", ".xml", ".txt")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """An empty temporary file beside `path`, which replaces `path` when the block ends.

    Other processes see the old content or the new one, never a part. When the block raises, the temporary
    file is removed and `path` stays as it was. The permissions are those of any new file. Raises OSError
    where the folder cannot be written or `path` is a device or a pipe, and StoreError where a file of text
    would hold a known API key.
    """
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "it is not an ordinary file", str(path))
    temporary = path.with_name(f".{path.name[:50]}.{os.urandom(8).hex()}")
    # Opened exclusively: a file of another process, or a link that somebody put there, is never written to.
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
    try:
        yield temporary
        if path.suffix.lower() in TEXT_SUFFIXES:
            with temporary.open("rb") as file:
                refuse_known_keys_in(file, str(path))
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def replace_file(path: Path, content: bytes) -> None:
    """Put a file with this content in the place of `path`, whole or not at all. Raises OSError."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def replace_by_pieces(path: Path, pieces: Iterable[bytes]) -> None:
    """The same of a content that comes piece by piece."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.writelines(pieces)
