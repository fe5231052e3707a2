"""Candidate captions, of which a captioner chooses one: a pool for all images, or some for each image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator.captions_files.container import read_content
from evaluator.captions_files.fields import caption_field, id_field, names_of, references_field
from evaluator.captions_files.ids import NamedImage, match_ids
from evaluator.captions_files.reader import row_id, wrong_value
from evaluator.captions_files.rows import rows_of
from evaluator.captions_files.texts import several_texts
from evaluator.core import Item
from evaluator.core.errors import DataError


@dataclass(frozen=True)
class Candidates:
    """One pool for all images, or the candidates of each image by its id; each once, in the file's order."""

    pool: tuple[str, ...]
    by_item: Mapping[str, tuple[str, ...]]

    def of(self, item_id: str) -> tuple[str, ...]:
        return self.pool or self.by_item.get(item_id, ())


def read_candidates(path: Path, items: Sequence[Item]) -> Candidates:
    """A text file is a pool, one candidate a line; any other captions file has candidates for each image.

    The file's ids are matched with those of the items, all of a data set. Raises DataError.
    """
    if path.suffix == ".txt":
        return Candidates(pool_in(path), {})
    rows = rows_of(read_content(path))
    names = names_of(path, rows.entries)
    of_id = id_field(names, None)
    of_texts = references_field(names, None, None, of_id) or caption_field(names, None, of_id)
    if of_texts is None:
        raise DataError(f"{path}: no field holds candidate captions. {names.listed()}")
    found: dict[str, dict[str, None]] = {}
    for index, row in enumerate(rows.entries):
        texts = several_texts(row.get(of_texts))
        if texts is None:
            raise wrong_value(rows, index, of_texts, "a caption, or a list of captions")
        found.setdefault(row_id(rows, index, of_id), {}).update(dict.fromkeys(texts))
    match = match_ids(list(found), [NamedImage(item.id, item.file_name) for item in items])
    return Candidates((), {item_id: tuple(found[spelled]) for item_id, spelled in match.of_item.items()})


def pool_in(path: Path) -> tuple[str, ...]:
    """The lines of a text file that are not empty, each once."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: it cannot be read as UTF-8 text ({error})") from error
    pool = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    if not pool:
        raise DataError(f"{path}: the file holds no candidates. Write one caption a line")
    return pool
