"""Tables that are not text: Parquet, and Excel workbooks where openpyxl is installed."""

from __future__ import annotations

import io
import warnings
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

from evaluator.core.errors import DataError, MissingPackage
from evaluator.files.regular_file import LIMIT_BYTES, in_megabytes


class Sheet(NamedTuple):
    """Rows by the names of their columns, where each is, and which sheet it was if there are several."""

    rows: list[dict[str, Any]]
    places: list[str]
    notes: tuple[str, ...]


def read_parquet(raw: bytes, path: Path) -> list[dict[str, Any]]:
    """The rows, without columns of bytes, such as pictures. Raises DataError for a damaged file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(io.BytesIO(raw))
        plain = [field.name for field in file.schema_arrow if not _has_bytes(field.type)]
        rows: list[dict[str, Any]] = file.read(columns=plain).to_pylist()
    except (pa.ArrowException, OSError) as error:
        raise DataError(f"{path}: the Parquet file is damaged or cut off: {error}") from error
    return rows


def _has_bytes(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return True
    return any(_has_bytes(kind.field(index).type) for index in range(kind.num_fields))


def is_workbook(raw: bytes) -> bool:
    """Whether the bytes are a zip archive that holds Excel's parts."""
    if not raw.startswith(b"PK\x03\x04"):
        return False
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            return "xl/workbook.xml" in archive.namelist()
    except zipfile.BadZipFile:
        return False


def read_workbook(raw: bytes, path: Path) -> Sheet:
    """The rows of the first sheet that has any.

    An empty cell is an empty text. Raises MissingPackage without openpyxl, DataError for a damaged file.
    """
    try:
        import openpyxl
    except ImportError:
        raise MissingPackage("openpyxl, which reads Excel's files,", "excel") from None
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        if (size := sum(member.file_size for member in archive.infolist())) > LIMIT_BYTES:
            raise DataError(f"{path}: unpacks to {in_megabytes(size)}")
    try:
        with warnings.catch_warnings():  # about styles that a workbook lacks
            warnings.simplefilter("ignore")
            book = openpyxl.load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
            sheets = {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
            book.close()
    except Exception as error:  # whatever a damaged workbook makes openpyxl raise
        raise DataError(f"{path}: the Excel workbook is damaged: {error}") from error
    title, cells = next(((title, rows) for title, rows in sheets.items() if any(map(any, rows))), ("", []))
    if not cells:
        raise DataError(f"{path}: the workbook has no cells")
    header = ["" if name is None else str(name).strip() for name in cells[0]]
    rows: list[dict[str, Any]] = []
    places: list[str] = []
    for number, row in enumerate(cells[1:], start=2):
        if any(cell not in (None, "") for cell in row):
            named = dict(zip(header, map(_text, row), strict=False))
            named.pop("", None)
            rows.append(named)
            places.append(f"row {number}")
    return Sheet(rows, places, (f"the sheet {title!r} is read",) if len(sheets) > 1 else ())


def _text(cell: Any) -> str:
    """A cell as text: Excel keeps the id 101 as a number, and often as 101.0."""
    if cell is None:
        return ""
    return str(int(cell) if isinstance(cell, float) and cell.is_integer() else cell)
