"""What the bytes of a file are: JSON, JSON Lines, a table, Parquet, Excel, each also packed by gzip.

The content decides, not the name: JSON Lines called .json and a list called .jsonl are read as what they
are. A file that holds no data says what it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.captions_files.decoding import GZIP, decoded, refuse_foreign, unpacked
from evaluator.captions_files.tables import parse_table
from evaluator.captions_files.workbooks import is_workbook, read_parquet, read_workbook
from evaluator.core.errors import DataError
from evaluator.files.json_bytes import decode_json
from evaluator.files.regular_file import read_regular_file

LINES = (".jsonl", ".ndjson", ".jsonlines")


@dataclass(frozen=True)
class Content:
    """The document in a file: JSON's, or a list of the rows of a table."""

    path: Path
    kind: str  # such as "JSON Lines" or "CSV with ;"
    document: Any
    places: Sequence[str] = ()  # where each entry of the list is, such as "line 3"; else its index is
    notes: tuple[str, ...] = ()  # what a reader of the file should know of how it was read

    def place(self, index: int) -> str:
        return self.places[index] if self.places else f"[{index}]"


def read_content(path: Path) -> Content:
    """Open a file and parse it as what it is. Raises DataError that says what is wrong and what to type."""
    raw = read_regular_file(path)
    packing = ""
    if raw.startswith(GZIP):
        raw, packing = unpacked(raw, path), "gzip, "
    if raw.startswith(b"PAR1"):
        rows = read_parquet(raw, path)
        return Content(path, f"{packing}Parquet", rows, [f"row {n + 1}" for n in range(len(rows))])
    if is_workbook(raw):
        sheet = read_workbook(raw, path)
        return Content(path, f"{packing}Excel", sheet.rows, sheet.places, sheet.notes)
    refuse_foreign(raw, path)
    text, encoding = decoded(raw, path)
    packing += f"{encoding}, " if encoding else ""
    del raw  # half of the memory that a large file takes until it is understood
    if not text or text.isspace():
        raise DataError(f"{path}: the file is empty")
    if text.lstrip()[0] in "[{" or _bare_name(path).endswith((".json", *LINES)):
        kind, document, places = parse_json_text(text, path)
        return Content(path, packing + kind, document, places)
    table = parse_table(text, path)
    return Content(path, packing + table.kind, table.rows, table.places, table.notes)


def _bare_name(path: Path) -> str:
    return path.name.lower().removesuffix(".gz")


def parse_json_text(text: str, path: Path) -> tuple[str, Any, Sequence[str]]:
    """The kind, the document and the places of its entries: of one document, or of one per line."""
    called_lines = _bare_name(path).endswith(LINES)
    if called_lines and text.lstrip()[0] != "[":
        try:
            return _lines(text, path)
        except DataError:
            try:
                return "JSON", decode_json(text), ()
            except ValueError:
                pass
            raise
    try:
        return "JSON", decode_json(text), ()
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno > 1:
            return _lines(text, path)
        raise DataError(_complaint(error, path)) from error
    except ValueError as error:  # a number or a nesting beyond what Python reads
        raise DataError(f"{path}: cannot be read as JSON: {error}") from error


def _lines(text: str, path: Path) -> tuple[str, list[Any], list[str]]:
    documents, places = [], []
    # Only "\n" ends a line: a caption may contain U+2028.
    for number, line in enumerate(_each_line(text), start=1):
        if not line.strip():
            continue
        try:
            documents.append(decode_json(line))
        except json.JSONDecodeError as error:
            raise DataError(_complaint(error, path, number)) from error
        except ValueError as error:
            raise DataError(f"{path}: line {number}: cannot be read as JSON: {error}") from error
        places.append(f"line {number}")
    return "JSON Lines", documents, places


def _each_line(text: str) -> Iterator[str]:
    """What `split` gives, one at a time: the text is not in memory twice."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _complaint(error: json.JSONDecodeError, path: Path, line: int = 1) -> str:
    """The place of a mistake in JSON, and what it probably is."""
    before, after = error.doc[: error.pos].rstrip(), error.doc[error.pos :].lstrip()
    if after.startswith("'"):
        advice = ". Python printed this with single quotes; write it with json.dump"
    elif after[:1] in ("]", "}") and before.endswith(","):
        advice = ". Remove the comma before the closing bracket"
    elif after.rstrip() == "," and error.msg == "Extra data":
        advice = ". Remove the comma at the end of the line"
    elif not after:
        advice = ". The file ends too early: is it a part of the file?"
    elif error.pos == 0 and re.match(r"[^\n]*[,;\t|]", after):
        advice = ". If this is a table, call the file .csv or .tsv"
    else:
        advice = ""
    return f"{path}: line {line + error.lineno - 1}, column {error.colno}: {error.msg}{advice}"
