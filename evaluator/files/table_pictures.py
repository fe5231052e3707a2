"""Pictures that lie in the rows of an Arrow table, as the `datasets` library keeps them on this machine.

    val.arrow/image/17/000000179765.jpg

is the picture in row 17 of the column `image` of val.arrow; the last part is what the picture is called. So a
picture in a table has a path like any other: it is written into run folders and read when it is needed, one
row at a time, from a file that is mapped into memory and never read as a whole.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

if TYPE_CHECKING:
    import pyarrow as pa


def picture_path(table: Path, column: str, row: int, name: str) -> Path:
    """The path of a picture in a table; `name` is what it is called, such as an id or a file's name.

    >>> picture_path(Path("val.arrow"), "image", 17, "val2014/dog.jpg").as_posix()
    'val.arrow/image/17/dog.jpg'
    """
    plain = name.replace("\\", "/").rstrip("/").rpartition("/")[2] or str(row)
    return table / quote(column, safe="") / str(row) / plain


def picture_in_table(path: Path) -> bytes | None:
    """The bytes of the picture at such a path; None where there is no such table, column or row."""
    cell = _cell(path)
    if cell is None or not cell.is_valid:
        return None
    value = cell.as_py()
    return value.get("bytes") if isinstance(value, dict) else value


def is_in_table(path: Path) -> bool:
    """Whether a table has a picture at such a path. Its bytes are not read."""
    cell = _cell(path)
    return cell is not None and cell.is_valid


def open_table(path: Path) -> pa.Table:
    """An Arrow file as a table that is mapped into memory. Raises OSError, and ValueError for other files."""
    status = path.stat()
    return _opened(path, status.st_ino, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=64)  # a data set of the hub has a file for each half gigabyte
def _opened(path: Path, *state: int) -> pa.Table:
    import pyarrow as pa

    mapped = pa.memory_map(str(path))
    try:
        return pa.ipc.open_stream(mapped).read_all()
    except pa.ArrowInvalid:
        return pa.ipc.open_file(mapped).read_all()  # which raises ArrowInvalid, a ValueError


def _cell(path: Path) -> Any:
    """The value at the path, not yet read; None where there is none."""
    if len(path.parts) < 4 or not path.parts[-2].isdecimal():
        return None
    try:
        column = open_table(path.parents[2])[unquote(path.parts[-3])]
        return column[int(path.parts[-2])]
    except (OSError, ValueError, LookupError):
        return None
