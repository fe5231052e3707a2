r"""Tables of text: comma, semicolon, tab or | between cells, with or without a header.

>>> table = parse_table("Image_ID; Caption\n7;a dog, a cat\n;\n8;a cow\n", Path("a.csv"))
>>> table.rows, table.places, table.kind
([{'Image_ID': '7', 'Caption': 'a dog, a cat'}, {'Image_ID': '8', 'Caption': 'a cow'}], ['line 2', 'line 4'], 'CSV with ;')
"""  # noqa: E501

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from evaluator.core.errors import DataError

# A text seldom holds a tab, and often a comma.
SEPARATORS = ("\t", ";", "|", ",")
PICTURE = r"[^\t]*\.(jpe?g|png|webp|gif|bmp|tiff?|heic)"
# What a first cell holds where there is no header: a number, or a picture, which Flickr's .token files
# number by #0 to #4.
ID_CELL = re.compile(rf"\s*(\d+(\.0)?|{PICTURE})(#\d+)?\s*", re.IGNORECASE)
NUMBERED = re.compile(r"(.+)#\d+\s*")
# One row of Flickr30k's published results.csv lacks its second separator: `name.jpg| 4   A dog runs .`
UNDIVIDED = re.compile(r"\s*(\d+)\s{2,}(\S.*)")


class Table(NamedTuple):
    """Rows by the names of their columns, and where in the file each is."""

    kind: str
    rows: list[dict[str, str]]
    places: list[str]
    notes: tuple[str, ...] = ()


def parse_table(text: str, path: Path) -> Table:
    """The table in a file's text. A row of empty cells is left out. Raises DataError with the line."""
    separator = separator_of(text)
    kind = {"\t": "a table with tabs", ",": "CSV"}.get(separator, f"CSV with {separator}")
    lines = _records(text, separator, path)
    if not lines:
        raise DataError(f"{path}: the file is empty")
    (_, first), *rest = lines
    if ID_CELL.fullmatch(first[0]):
        return _without_header(kind, lines, text, separator, path)
    header = [cell.strip() for cell in first]
    if len(header) == 1 and all(len(cells) == 1 for _, cells in rest):
        raise DataError(f"{path}: a text of one column. Expected a table that begins with image_id,caption")
    if twice := next((name for name, times in Counter(header).items() if name and times > 1), None):
        raise DataError(f"{path}: there are two columns {twice!r}: rename one of them")
    notes: list[str] = []
    rows, places = [], []
    for place, cells in rest:
        if len(cells) != len(header):
            cells, note = _mended(cells, header, separator, path, place)
            notes.append(note)
        rows.append(dict(zip(header, cells, strict=True)))
        places.append(place)
    for row in rows:
        row.pop("", None)  # the index that pandas writes has no name
    return Table(kind, rows, places, tuple(notes))


def separator_of(text: str) -> str:
    """The separator that divides the first rows into equally many cells, else the header's most frequent."""
    for separator in SEPARATORS:
        try:
            cells = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
            counts = {len(row) for row in islice(filter(any, cells), 20)}
        except csv.Error:
            continue
        if len(counts) == 1 and counts != {1}:
            return separator
    header = text.lstrip().partition("\n")[0]
    return max(SEPARATORS[::-1], key=header.count)


def _records(text: str, separator: str, path: Path) -> list[tuple[str, list[str]]]:
    """Each row that is not empty, under the line where it ends."""
    try:
        return list(_rows(text, separator, csv.QUOTE_MINIMAL))
    except csv.Error as error:
        if separator in "\t|":  # where a quotation mark is often just one
            return list(_rows(text, separator, csv.QUOTE_NONE))
        raise DataError(f"{path}: {error}") from error


def _rows(text: str, separator: str, quoting: int) -> Iterator[tuple[str, list[str]]]:
    source = io.StringIO(text, newline="")
    reader = csv.reader(source, delimiter=separator, quoting=quoting, strict=True)  # type: ignore[arg-type]
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise csv.Error(f"line {reader.line_num}: {_plain(str(error))}") from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield f"line {reader.line_num}", cells


def _plain(message: str) -> str:
    if "field larger" in message:
        return f"one cell has more than {csv.field_size_limit():,} characters: this is no table of captions"
    if "unexpected end" in message:
        return "a quotation mark opens a cell and never closes it"
    if "expected after" in message:
        return "a quotation mark within a cell that begins with one must be doubled"
    return message


def _without_header(
    kind: str, lines: Sequence[tuple[str, list[str]]], text: str, separator: str, path: Path
) -> Table:
    if separator == "\t" and '"' in text:  # of Flickr's .token files, whose texts hold quotation marks
        lines = list(_rows(text, separator, csv.QUOTE_NONE))
    if odd := next(((place, cells) for place, cells in lines if len(cells) != 2), None):
        raise DataError(
            f"{path}: the first line is no header, and {odd[0]} has {len(odd[1])} cells. Begin the file "
            "with the names of its columns: image_id,caption"
        )
    numbered = all(NUMBERED.fullmatch(cells[0]) for _, cells in lines)
    rows = [
        {"image_id": match[1] if numbered and (match := NUMBERED.fullmatch(name)) else name, "caption": text}
        for _, (name, text) in lines
    ]
    note = "there is no header: the first column is read as the image id, the second as the caption"
    return Table(kind, rows, [place for place, _ in lines], (note,))


def _mended(
    cells: list[str], header: Sequence[str], separator: str, path: Path, place: str
) -> tuple[list[str], str]:
    """The cells of a row that lacks one, where its meaning is clear. Raises DataError where it is not."""
    if len(cells) == len(header) - 1 and separator == "|" and (parts := UNDIVIDED.fullmatch(cells[-1])):
        return [*cells[:-1], parts[1], parts[2]], f"{place} lacks a separator after {parts[1]}"
    if len(cells) < len(header):
        missing = ", ".join(map(repr, header[len(cells) :]))
        raise DataError(
            f"{path}: {place}: {missing} is missing: the row has {len(cells)} of {len(header)} cells"
        )
    raise DataError(
        f"{path}: {place}: {len(cells)} cells for the {len(header)} columns {', '.join(header)}. "
        f"A text with {'a tab' if separator == chr(9) else separator} in it must be in quotes"
    )
