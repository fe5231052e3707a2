"""Which field of a row holds the image's id, which the caption and which the references.

The usual names are known, in any case. Where two fields could be meant, the error names them and the option
that decides.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluator.captions_files.texts import one_text, several_texts
from evaluator.core.errors import DataError

Row = Mapping[str, Any]

# The clearest names first: of those that a file has, the first is taken.
FILE_NAMES = (
    *("image_name", "img_name", "file_name", "filename", "image_file", "image_path", "img_path"),
    *("filepath", "file_path", "path", "file", "image", "img", "media_path", "image_url", "url"),
)
ROW_NUMBERS = ("index", "doc_id")
IDS = (
    *("image_id", "imageid", "img_id", "imgid", "cocoid", "coco_id", *FILE_NAMES),
    *("question_id", "custom_id", "id", "_id", "uid", "key", "name", *ROW_NUMBERS),
)
# What a model wrote, in fields that are never references.
PREDICTIONS = (
    *("prediction", "predictions", "pred", "preds", "predicted", "predicted_caption", "pred_caption"),
    *("generated_caption", "generated_text", "generated", "generation", "gen_caption", "model_caption"),
    *("hypothesis", "hypotheses", "hyp", "candidate", "candidates", "model_output"),
)
CAPTIONS = ("caption", "captions")
OTHER_TEXTS = (
    *("text", "output", "response", "answer", "completion", "description", "comment", "sentence"),
    *("content", "reply", "alt_text"),
)
REFERENCES = (
    *("caption_str", "references", "refs", "reference", "ref", "reference_captions", "reference_strs"),
    *("gt", "gts", "gt_caption", "gt_captions", "ground_truth", "ground_truths", "groundtruth"),
    *("target", "targets", "human_captions", "sentences", "captions", "caption", "raw"),
    *("text", "comment", "description", "sentence", "answer", "answers"),
)


@dataclass(frozen=True)
class Names:
    """The fields of a file: each by the name that the file has, in the order of the file."""

    path: Path
    present: Mapping[str, str]  # the plain name of each field -> its name in the file
    rows: Sequence[Row]

    def first(self, names: Sequence[str], holds: Callable[[Any], bool]) -> str | None:
        """The first of these names whose field is there and holds something suitable."""
        found = (self.present[name] for name in names if name in self.present)
        return next((field for field in found if self.holds(field, holds)), None)

    def all(self, names: Sequence[str], holds: Callable[[Any], bool]) -> list[str]:
        found = (self.present[name] for name in names if name in self.present)
        return [field for field in found if self.holds(field, holds)]

    def holds(self, field: str, suitable: Callable[[Any], bool]) -> bool:
        """Whether the first value of the field that is there is suitable."""
        values = (row.get(field) for row in self.rows)
        return next((suitable(value) for value in values if value is not None and value == value), False)

    def chosen(self, name: str, option: str) -> str:
        """The field that the user named. Raises DataError where there is none of that name."""
        for field in self.present.values():
            if name == field:
                return field
        if (field := self.present.get(plain(name), "")) != "":
            return field
        raise DataError(f"{self.path}: there is no field {name!r} ({option}). {self.listed()}")

    def listed(self) -> str:
        return f"The fields are {', '.join(map(repr, self.present.values())) or 'none'}"


def names_of(path: Path, rows: Sequence[Row]) -> Names:
    """The fields that any of the rows has."""
    fields = dict.fromkeys(field for row in rows for field in row)
    present: dict[str, str] = {}
    for field in fields:
        present.setdefault(plain(field), field)
    return Names(path, present, rows)


def plain(name: object) -> str:
    """A field's name without regard to case, blanks and hyphens.

    >>> plain(" Image-ID"), plain("image id")
    ('image_id', 'image_id')
    """
    return str(name).strip().casefold().replace(" ", "_").replace("-", "_")


def id_field(names: Names, chosen: str | None) -> str:
    """The field with the image's id: a name, a number or a file name."""
    if chosen:
        return names.chosen(chosen, "--id-field")
    field = names.first(IDS, can_be_id)
    if field is None:
        raise DataError(
            f"{names.path}: no field holds the image's id: looked for image_id, image, file_name, id and the "
            f"like. {names.listed()}. Name it: --id-field NAME"
        )
    return field


def file_name_field(names: Names) -> str | None:
    """The field with the picture's name, if there is one."""
    return names.first(FILE_NAMES, lambda value: isinstance(value, str) and len(value) < 1000)


def caption_field(names: Names, chosen: str | None, of_id: str) -> str | None:
    """The field with what the system wrote; None where there is none. Raises DataError for several."""
    if chosen:
        return names.chosen(chosen, "--caption-field")
    if candidates := _without_twins(names, names.all(PREDICTIONS, is_caption) + _own_caption(names)):
        return _only(names, candidates, "caption")
    if candidates := _without_twins(names, names.all(OTHER_TEXTS, is_caption)):
        return _only(names, candidates, "caption")
    others = [field for field in names.present.values() if field != of_id]
    named = [field for field in others if plain(field).endswith("caption") and names.holds(field, is_caption)]
    if named or (len(others) == 1 and names.holds(others[0], is_caption)):
        return _only(names, named or others, "caption")
    return None


def references_field(names: Names, chosen: str | None, caption: str | None, of_id: str) -> str | None:
    """The field with what people wrote; None where there is none. `caption` is the system's field."""
    if chosen:
        return names.chosen(chosen, "--references-field")
    taken = {caption, of_id}
    known = [name for name in REFERENCES if names.present.get(name) not in taken]
    if field := names.first(known, is_references):
        return field
    others = [field for field in names.present.values() if field not in taken]
    named = [
        field
        for field in others
        if plain(field).endswith(("caption", "captions"))
        and plain(field) not in PREDICTIONS
        and names.holds(field, is_references)
    ]
    texts = [field for field in others if plain(field) not in {*IDS, *PREDICTIONS, "split"}]
    if not named and len(texts) == 1 and names.holds(texts[0], is_references):
        named = texts
    return _only(names, named, "references") if named else None


def _own_caption(names: Names) -> list[str]:
    """`caption`, unless it is a list of several, which are references."""
    return names.all(CAPTIONS, is_caption)[:1]


def _without_twins(names: Names, fields: Sequence[str]) -> list[str]:
    """Without fields that hold the same captions as an earlier one."""
    kept: dict[tuple[str | None, ...], str] = {}
    if len(fields) < 2:
        return list(fields)
    for field in fields:
        kept.setdefault(tuple(one_text(row.get(field)) for row in names.rows), field)
    return list(kept.values())


def _only(names: Names, candidates: Sequence[str], what: str) -> str:
    if len(candidates) > 1:
        raise DataError(
            f"{names.path}: each of {', '.join(map(repr, candidates))} could be the {what}. "
            f"Say which: --{what}-field {candidates[0]}"
        )
    return candidates[0]


def can_be_id(value: Any) -> bool:
    return isinstance(value, int | float | str) and len(str(value)) < 1000


def is_caption(value: Any) -> bool:
    return one_text(value) is not None


def is_references(value: Any) -> bool:
    return bool(several_texts(value))
