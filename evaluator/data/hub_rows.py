"""The rows of a split: the values of the columns that are asked for, and where each row's picture is.

A column may be a field of a column, as `sentences.raw`: of a list of objects, the list of their fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from evaluator.core.errors import DataError
from evaluator.core.spelling import did_you_mean
from evaluator.data.hub_source import Split
from evaluator.files.atomic import replace_file
from evaluator.files.cache_folder import cache_folder
from evaluator.files.table_pictures import open_table, picture_path

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Row:
    """One row: its number in the split, counted from 0, its values, and its picture."""

    number: int
    values: Mapping[str, Any]  # by column, as it was asked for
    picture: Path | None = None
    name: str | None = None  # what the data set calls the picture: a file's name, or an address


def column_of(asked: str, present: Sequence[str], option: str, where: str) -> str:
    """The column that holds what an option asks for: itself, or the one that it is a field of.

    Raises DataError for one that is not there, with the names of those that are.
    """
    whole = asked if asked in present or option == "image" else asked.partition(".")[0]
    if whole not in present:
        raise DataError(
            f"{where}: there is no column {asked!r} (data.{option}).{did_you_mean(asked, present)} "
            f"Its columns: {', '.join(present)}. Type data.{option}=..."
        )
    return whole


def present_columns(split: Split) -> list[str]:
    """The names of the columns; of a stream without a description, those of its first row."""
    if split.tables:
        return list(open_table(split.tables[0]).column_names)
    return list(split.stream.features or next(iter(split.stream), {}))


def rows_of(split: Split, columns: Mapping[str, str], image: str | None, where: str) -> Iterator[Row]:
    """All rows; `columns` are those that are asked for, and those that they are in.

    The bytes of pictures are not read, except from a stream, which is read only once.
    """
    if split.stream is not None:
        yield from _streamed(split.stream, columns, image, where)
        return
    number = 0
    for path in split.tables:
        table = open_table(path)
        texts = table.select(list(dict.fromkeys(columns.values())))
        names = _picture_names(table, image, where) if image else [None] * table.num_rows
        for index, values in enumerate(_dicts(texts)):
            name = names[index]
            picture = _in_table(table, path, image, index, name) if image else None
            yield Row(number, _asked(values, columns), picture, name)
            number += 1


def _dicts(table: pa.Table) -> Iterator[dict[str, Any]]:
    if not table.num_columns:
        yield from ({} for _ in range(table.num_rows))
        return
    for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE):
        yield from batch.to_pylist()


def _asked(values: Mapping[str, Any], columns: Mapping[str, str]) -> dict[str, Any]:
    return {
        column: values[whole] if column == whole else _field(values[whole], column[len(whole) + 1 :])
        for column, whole in columns.items()
    }


def _field(value: Any, path: str) -> Any:
    """A field of an object, or of each object of a list; a field may be of a field, with dots between."""
    if isinstance(value, list):
        return [_field(one, path) for one in value]
    first, _, rest = path.partition(".")
    inner = value.get(first) if isinstance(value, dict) else None
    return _field(inner, rest) if rest else inner


def _picture_names(table: pa.Table, image: str, where: str) -> list[str | None]:
    """What the rows' pictures are called. Raises DataError where the column holds no pictures."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = table[image]
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        names: list[str | None] = column.to_pylist()
        return names
    if pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0:
        if kind.get_field_index("path") < 0:
            return [None] * len(column)
        named: list[str | None] = pc.struct_field(column, "path").to_pylist()
        return named
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_null(kind):
        return [None] * len(column)
    raise DataError(
        f"{where}: the column {image!r} holds {kind}, and no pictures. Its columns: "
        f"{', '.join(table.column_names)}. Type data.image=..., or data.image=null for texts alone"
    )


def _in_table(table: pa.Table, path: Path, image: str, index: int, name: str | None) -> Path | None:
    """Where a row's picture is: in the table, or in a file that the row names; its bytes are not read."""
    cell = table[image][index]
    if not cell.is_valid or (isinstance(name, str) and not hasattr(cell, "keys")):
        return None
    if hasattr(cell, "keys") and not cell["bytes"].is_valid:
        return Path(name) if name and Path(name).is_absolute() else None
    return picture_path(path, image, index, name or f"{index}")


def _streamed(stream: Any, columns: Mapping[str, str], image: str | None, where: str) -> Iterator[Row]:
    for number, values in enumerate(stream):
        picture = values.get(image) if image else None
        if isinstance(picture, dict):
            data, name = picture.get("bytes"), picture.get("path")
        else:
            data, name = (picture, None) if isinstance(picture, bytes) else (None, picture)
        if name is not None and not isinstance(name, str):
            raise DataError(f"{where}: the column {image!r} holds no pictures. Type data.image=...")
        kept = _kept(data) if data else Path(name) if name and Path(name).is_absolute() else None
        yield Row(number, _asked(values, columns), kept, name)


def _kept(data: bytes) -> Path:
    """The picture as a file of the cache folder, called by its content: a stream is read only once."""
    digest = hashlib.sha256(data).hexdigest()
    path = cache_folder("pictures", digest[:2]) / digest
    if not path.is_file():
        replace_file(path, data)
    return path
