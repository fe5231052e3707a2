"""Data sets that are one file of references, in whatever form people keep them, and a folder of pictures.

COCO's format and Karpathy's are read by their own modules. Everything else is a list of rows, one per image
or one per reference, as `captions_files` reads them: a mapping {id: [texts]}, BLIP's and TextCaps' lists,
Flickr's .token files, CSV, JSON Lines, Parquet, results that hold the references too, or a list of pictures.
"""

from __future__ import annotations

import logging
import re
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge

from evaluator.captions_files.container import read_content
from evaluator.captions_files.fields import (
    FILE_NAMES,
    PREDICTIONS,
    caption_field,
    file_name_field,
    id_field,
    is_caption,
    names_of,
    plain,
    references_field,
)
from evaluator.captions_files.ids import path as plain_path
from evaluator.captions_files.reader import read_captions, row_id, wrong_value
from evaluator.captions_files.rows import Rows, rows_of
from evaluator.captions_files.texts import several_texts
from evaluator.core import RUNTIME_ONLY, Item
from evaluator.core.errors import DataError
from evaluator.data.coco_format import read_coco, with_object_tags
from evaluator.data.human import drop_reference
from evaluator.data.karpathy_format import read_karpathy, refuse_other_splits, splits_of
from evaluator.data.picture_files import AnnotatedImage, with_pictures

logger = logging.getLogger(__name__)

# COCO's names of a picture, and LAVIS' of an image: the number is its id.
COCO_NAME = re.compile(r"(?:.*/)?(?:COCO_(?:train|val|test)\d{4}_)?0*(\d{1,12})(?:\.jpg)?")
LAVIS_ID = re.compile(r"coco_(\d+)")


@dataclass(frozen=True)
class ReferencesFile:
    """The images and references of a file; `images` is the folder of the pictures, if any."""

    images: Path | None = field(metadata=RUNTIME_ONLY)  # the same data wherever the pictures are
    annotations: Path
    _: KW_ONLY
    leave_out: Annotated[int, Ge(1)] | None = None
    instances: Path | None = field(default=None, metadata=RUNTIME_ONLY)  # names objects, changes no caption
    id_field: str | None = None
    references_field: str | None = None
    rejected: Literal["keep"] | None = None  # None: VizWiz' rule

    def load(self) -> list[Item]:
        """The items, in the order of the file. Raises DataError that says where the mistake is."""
        references = self.references()
        items = with_pictures(references.images, self.images, self.annotations)
        named = [
            replace(item, file_name=image.file_name or "")
            for item, image in zip(items, references.images, strict=True)
        ]
        return with_object_tags(drop_reference(named, self.leave_out), self.instances)

    def references(self) -> References:
        """What the file holds, before anything is left out."""
        status = self.annotations.stat() if self.annotations.exists() else None
        state = (status.st_ino, status.st_mtime_ns, status.st_size) if status else ()
        return _read(
            self.annotations,
            getattr(self, "split", None),
            self.id_field,
            self.references_field,
            self.rejected == "keep",
            *state,
        )


@dataclass(frozen=True)
class References:
    """The images of a file with their references, and how it was read where that is not plain."""

    images: tuple[AnnotatedImage, ...]
    notes: tuple[str, ...] = ()
    split: str = ""  # the split that was taken, of a file with several
    rule: str = ""  # which references do not count, by the data set's own rule


@lru_cache(maxsize=1)
def _read(
    path: Path,
    split: str | None,
    id_from: str | None,
    references_from: str | None,
    keep_rejected: bool,
    *state: int,
) -> References:
    """The references of a file, and a log of how it was read.

    The last file is remembered: a command asks for it several times, and says once how it was read.
    """
    references = _understood(path, split, id_from, references_from, keep_rejected)
    for note in references.notes:
        logger.info("%s: %s", path, note)
    return references


def _understood(
    path: Path, split: str | None, id_from: str | None, references_from: str | None, keep_rejected: bool
) -> References:
    content = read_content(path)
    document = content.document
    if id_from or references_from:
        return _from_rows(rows_of(content), split, id_from, references_from)
    if _is_karpathy(document):
        if split is None:
            raise DataError(
                f"{path}: a file with several splits. Type: data=karpathy data.annotations={path} "
                "data.split=test"
            )
        return References(tuple(read_karpathy(document, path, split)), content.notes, split)
    if isinstance(document, dict) and document.get("images") and "annotations" in document:
        images, left_out = read_coco(document, path, keep_rejected)
        if not left_out:
            return References(tuple(images), content.notes)
        rule = "without rejected and precanned references"
        note = (
            f"{left_out:,} references are marked as rejected or precanned and do not count, as in VizWiz' "
            "own evaluation; data.rejected=keep keeps them"
        )
        return References(tuple(images), (*content.notes, note), rule=rule)
    return _from_rows(rows_of(content), split, None, None)


def split_names(path: Path) -> list[str]:
    """The names of the splits that a file has, if it has any."""
    content = read_content(path)
    if _is_karpathy(content.document):
        return list(dict.fromkeys(splits_of(content.document, path)))
    rows = rows_of(content).entries
    field = names_of(path, rows).present.get("split")
    return list(dict.fromkeys(str(row.get(field)) for row in rows)) if field else []


def _is_karpathy(document: Any) -> bool:
    if not isinstance(document, dict) or "annotations" in document:
        return False
    images = document.get("images")
    return (
        isinstance(images, list)
        and bool(images)
        and all(isinstance(image, dict) and "id" not in image for image in images)
    )


def _from_rows(rows: Rows, split: str | None, id_from: str | None, references_from: str | None) -> References:
    """The references of rows, one per image or one per reference, in the order of the images."""
    path = rows.content.path
    if not rows.entries:
        raise DataError(f"{path}: the file lists no images")
    names = names_of(path, rows.entries)
    of_id = id_field(names, id_from)
    of_references = references_field(names, references_from, None, of_id)
    if of_references is None and names.first(PREDICTIONS, is_caption):
        raise DataError(f"{path}: this is a file of captions, without references. {names.listed()}")
    of_name, of_split = file_name_field(names), names.present.get("split")
    wanted = _wanted(rows, of_split, split)
    references: dict[str, list[str]] = {}
    file_names: dict[str, str | None] = {}
    for index, row in enumerate(rows.entries):
        if wanted is not None and row.get(of_split or "") != wanted:
            continue
        item_id = coco_id(row_id(rows, index, of_id), by_name=plain(of_id) in FILE_NAMES)
        texts = several_texts(row.get(of_references)) if of_references else ()
        if texts is None:
            raise wrong_value(rows, index, of_references or "", "text or a list of texts")
        references.setdefault(item_id, []).extend(text.strip() for text in texts)
        file_names.setdefault(item_id, row.get(of_name) if of_name else None)
    images = tuple(
        AnnotatedImage(item_id, _file_name(file_names[item_id]), tuple(texts))
        for item_id, texts in references.items()
    )
    found = f"{of_references!r} the references" if of_references else "there are no references"
    note = f"read as {rows.kind}: {of_id!r} is the image id, {found}; {counted(len(images))}"
    return References(images, (note, *rows.content.notes), wanted or "")


def counted(images: int) -> str:
    return f"{images:,} image{'' if images == 1 else 's'}"


def _wanted(rows: Rows, of_split: str | None, split: str | None) -> str | None:
    """The split to take, of rows that belong to several."""
    present = [str(row.get(of_split)) for row in rows.entries] if of_split else []
    if split is None or len(set(present)) < 2:
        return None
    refuse_other_splits(split, present, rows.content.path)
    return split


def coco_id(name: str, by_name: bool) -> str:
    """The id of an image of COCO by its file's name or LAVIS' id; any other id as it is.

    >>> coco_id("val2014/COCO_val2014_000000391895.jpg", True), coco_id("coco_391895", False)
    ('391895', '391895')
    >>> coco_id("set/101.jpg", True), coco_id("000000000101", False)
    ('set/101.jpg', '101')
    """
    if match := LAVIS_ID.fullmatch(name):
        return match[1]
    match = COCO_NAME.fullmatch(plain_path(name))
    if match and len(re.findall(r"\d", name.rpartition("/")[2].rpartition("_")[2])) == 12:
        return match[1]
    return plain_path(name) if by_name else name


def _file_name(name: Any) -> str | None:
    return plain_path(name) if isinstance(name, str) and name else None


def references_beside(
    path: Path, id_from: str | None, caption_from: str | None, references_from: str | None
) -> str:
    """The field of a captions file that holds references too. Raises DataError where none does."""
    read_captions(path, id_from, caption_from)  # which says what is wrong with the captions
    names = names_of(path, rows_of(read_content(path)).entries)
    of_id = id_field(names, id_from)
    of_caption = caption_field(names, caption_from, of_id)
    field = references_field(names, references_from, of_caption, of_id)
    if field is None:
        raise DataError(
            f"{path}: it holds captions ({of_caption!r}) and no references. Type --references FILE; or "
            f"--references-field NAME where they are in another field. {names.listed()}"
        )
    return field
