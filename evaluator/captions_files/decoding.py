"""From bytes to text: which encoding a file has, and what a file is that holds no text.

>>> decoded("caption".encode("utf-16"), Path("a.csv"))
('caption', 'UTF-16')
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zlib
from pathlib import Path

from evaluator.core.errors import DataError
from evaluator.files.regular_file import LIMIT_BYTES, in_megabytes

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Longer marks first: UTF-32's begins with UTF-16's.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    *((mark, "utf-16") for mark in UTF_16),
)
GZIP = b"\x1f\x8b"

# What a file is by its first bytes, and what to do with it.
FOREIGN = (
    (rb"version https://git-lfs", "a Git LFS pointer, not the file itself. Type: git lfs pull"),
    (rb"\s*<(!doctype html|html|head)", "a web page, not the file itself. Download it by its raw link"),
    (rb"\s*<\?xml", "an XML file. Save it as JSON or CSV"),
    (rb"BZh", "packed by bzip2. Type: bunzip2 {path}"),
    (rb"\xfd7zXZ", "packed by xz. Type: unxz {path}"),
    (rb"\x28\xb5\x2f\xfd", "packed by zstd. Type: unzstd {path}"),
    (rb"PK\x03\x04|PK\x05\x06", "a zip archive. Unpack it and name the file inside"),
    (rb"7z\xbc\xaf|Rar!", "an archive. Unpack it and name the file inside"),
    (rb"\xd0\xcf\x11\xe0", "an old Excel workbook (.xls). Save it as .xlsx or as CSV"),
    (rb"ARROW1|\xff\xff\xff\xff", "an Arrow file. Save it as Parquet, JSON Lines or CSV"),
    (rb"\x80[\x02-\x05]", "a pickle of Python, which can run a program when it is opened: it is never read. "
                          "Save it as JSON or CSV"),
    (rb"\x93NUMPY", "an array of numpy. Save it as JSON or CSV"),
    (rb"\x89HDF", "an HDF5 file. Save it as JSON or CSV"),
    (rb"SQLite format", "a database of SQLite. Save the table as CSV"),
    (rb"%PDF", "a PDF. Save its table as CSV"),
    (rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP", "a picture"),
)  # fmt: skip


def unpacked(raw: bytes, path: Path, limit: int = LIMIT_BYTES) -> bytes:
    """The content of a gzip file. Raises DataError where it is damaged or too large."""
    try:
        with gzip.open(io.BytesIO(raw)) as file:
            content = file.read(limit + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path}: the gzip file is damaged or cut off: {error}") from error
    if len(content) > limit:
        raise DataError(f"{path}: unpacks to more than {in_megabytes(limit)}")
    return content


def refuse_foreign(raw: bytes, path: Path) -> None:
    """Raise DataError, with what to type, for a file that holds neither JSON nor a table."""
    if not raw.strip():
        raise DataError(f"{path}: the file is empty")
    for beginning, what in FOREIGN:
        if re.match(beginning, raw[:200], re.IGNORECASE | re.DOTALL):
            raise DataError(f"{path}: this is {what.format(path=path)}")


def decoded(raw: bytes, path: Path) -> tuple[str, str]:
    """The text and its encoding, which is empty for UTF-8. Raises DataError that names a likely encoding."""
    encoding = next((name for mark, name in BYTE_ORDER_MARKS if raw.startswith(mark)), "")
    encoding = encoding or json.detect_encoding(raw[:4])  # by where NULs are; `utf-8` where there are none
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: {_not_text(raw, error, encoding)}") from error
    return text, "" if encoding.startswith("utf-8") else encoding.upper()


def _not_text(raw: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    if not encoding.startswith("utf-8"):
        return (
            f"it begins as {encoding.upper()}, and byte {error.start} does not fit: it is damaged or cut off"
        )
    around = raw[max(0, error.start - 10) : error.start + 11]
    if b"\0" in around or sum(byte < 9 for byte in raw[:4096]) > 8:
        return f"byte {error.start} is not UTF-8, and the file is not text"
    name = "windows-1252" if any(0x80 <= byte < 0xA0 for byte in raw) else "latin-1"
    return (
        f"byte {error.start} is not UTF-8. In {name} the text there is "
        f"{around.decode(name, 'replace')!r}: if that is right, type "
        f"iconv -f {name.upper()} -t UTF-8 FILE > NEW, or save the file as UTF-8"
    )
