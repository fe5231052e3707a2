"""Data sets of the Hugging Face hub, and local files of that kind, through the library `datasets`.

    evaluator run data=coco-hub model=git
    evaluator run data=hub data.path=mine.parquet data.image=picture data.references=[caption] model=git

Parquet, Arrow, CSV, JSON Lines, WebDataset's tar files and folders of pictures are one thing here: rows with
named columns. The YAML says which column is what. A picture is read from its row when it is needed, and until
then neither read nor decoded. Rows of the same id are one image with several references.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, ClassVar

from annotated_types import Ge

from evaluator.captions_files.texts import several_texts
from evaluator.core import RUNTIME_ONLY, Item
from evaluator.core.errors import DataError
from evaluator.data.hub_rows import Row, column_of, present_columns, rows_of
from evaluator.data.hub_source import Place, described, split_of
from evaluator.data.human import drop_reference
from evaluator.data.picture_files import AnnotatedImage, with_pictures
from evaluator.data.references_file import ReferencesFile, coco_id
from evaluator.files.images import is_picture_name


@dataclass(frozen=True)
class Hub:
    """A split of a data set of the hub, `name`, or of local files, `path`."""

    kind: ClassVar[str] = "hub"

    name: str | None
    path: Path | None = None
    _: KW_ONLY
    config: str | None = None
    split: str = "test"
    files: str | None = field(default=None, metadata=RUNTIME_ONLY)
    revision: str | None = None
    streaming: bool = field(default=False, metadata=RUNTIME_ONLY)
    rows: Annotated[int, Ge(1)] | None = None
    image: str | None = "image"
    id: str | None = None
    references: Sequence[str] = ()
    where: Mapping[str, str] = field(default_factory=dict)
    tags: Sequence[str] = field(default=(), metadata=RUNTIME_ONLY)  # they change no caption
    tags_from: Path | None = field(default=None, metadata=RUNTIME_ONLY)
    images: Path | None = field(default=None, metadata=RUNTIME_ONLY)
    leave_out: Annotated[int, Ge(1)] | None = None

    def load(self) -> list[Item]:
        """The items, in the order of the rows. Raises DataError, and MissingPackage without `datasets`."""
        items: dict[str, Item] = {}
        file_names: dict[str, str | None] = {}
        for item_id, row in self._identified():
            references = self._texts(row)
            if before := items.get(item_id):
                references = before.references + references
                items[item_id] = Item(item_id, before.image, references, before.tags, before.file_name)
            else:
                items[item_id] = Item(item_id, row.picture, references, self._tags(row), row.name or "")
                file_names[item_id] = row.name
        if not items:
            raise DataError(f"{self._place()}: no row is left. Check data.where and data.split")
        found = list(items.values())
        if self.images is not None:
            listed = [
                AnnotatedImage(one.id, one.file_name or None, one.references, one.tags) for one in found
            ]
            found = with_pictures(listed, self.images, Path(str(self._place())))
        return drop_reference(self._with_tags_of_file(found), self.leave_out)

    def source(self) -> Mapping[str, str]:
        """The data set's version: its revision at the hub, and the library's fingerprint."""
        place = self._place()
        return described(place, split_of(place, self.streaming))

    def __str__(self) -> str:
        known = self.path.name if self.path else self.name
        return f"{known}, {self.split} split"

    def _place(self) -> Place:
        if self.path is None and self.name is None:
            raise DataError(
                "no data set is named. Type data.path=DIR, or data.name=OWNER/NAME for one at the hub"
            )
        return Place(self.name, self.path, self.config, self.split, self.files, self.revision)

    def _rows(self) -> Iterator[Row]:
        place = self._place()
        split = split_of(place, self.streaming)
        present = present_columns(split)
        if self.image is not None:
            column_of(self.image, present, "image", str(place))
        named = {"id": [self.id] if self.id else [], "references": self.references, "tags": self.tags}
        columns = {
            column: column_of(column, present, option, str(place))
            for option, asked in (named | {"where": list(self.where)}).items()
            for column in asked
        }
        chosen = (
            row
            for row in rows_of(split, columns, self.image, str(place))
            if all(str(row.values[column]) == str(value) for column, value in self.where.items())
        )
        return islice(chosen, self.rows)

    def _identified(self) -> Iterator[tuple[str, Row]]:
        """The rows with their ids: of the column, else the names of the pictures, else the rows' numbers."""
        if self.id is not None:
            for row in self._rows():
                yield self._id_in(row), row
            return
        rows = list(self._rows())
        names = [self._within(row.name) if row.name else None for row in rows]
        is_named = None not in names and max(Counter(names).values(), default=0) == 1
        for row, name in zip(rows, names, strict=True):
            yield (coco_id(name, by_name=True) if is_named and name else str(row.number)), row

    def _id_in(self, row: Row) -> str:
        value = row.values[self.id or ""]
        if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
            raise DataError(
                f"{self._place()}: row {row.number}: the column {self.id!r} holds {value!r}, which is no id. "
                "Type data.id=..., or data.id=null to take the pictures' names or the rows' numbers"
            )
        return coco_id(str(value), by_name=is_picture_name(str(value)))

    def _within(self, name: str) -> str:
        """A picture's name without the folder that the data set lies in."""
        plain = name.replace("\\", "/")
        folder = self.path.absolute().as_posix() if self.path else ""
        return posixpath.relpath(plain, folder) if folder and plain.startswith(f"{folder}/") else plain

    def _texts(self, row: Row) -> tuple[str, ...]:
        found: list[str] = []
        for column in self.references:
            value = row.values[column]
            texts = () if value is None else several_texts(value)
            if texts is None:
                raise DataError(
                    f"{self._place()}: row {row.number}: the column {column!r} holds "
                    f"{str(value)[:80]!r}, and neither a text nor a list of texts. For a field of it, type "
                    "data.references=[COLUMN.FIELD]"
                )
            found += [text.strip() for text in texts if text.strip()]
        return tuple(found)

    def _tags(self, row: Row) -> tuple[str, ...]:
        values: list[Any] = []
        for column in self.tags:
            value = row.values[column]
            values += value if isinstance(value, list) else [value]
        return tuple(dict.fromkeys(str(value) for value in values if value not in (None, "")))

    def _with_tags_of_file(self, items: list[Item]) -> list[Item]:
        if self.tags_from is None:
            return items
        tags = {item.id: item.tags for item in ReferencesFile(None, self.tags_from).load()}
        return [
            Item(item.id, item.image, item.references, item.tags + tags.get(item.id, ()), item.file_name)
            for item in items
        ]
