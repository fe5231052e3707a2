"""Where `evaluator caption --output` writes: a table, a file beside each picture, or copies of the pictures.

What is written already is not captioned again, so the same command resumes where an earlier one ended. A file
of somebody else is never changed: no table with other columns, no text beside a picture, and no picture.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import click

from evaluator.core import Caption, Outcome
from evaluator.files.atomic import replace_file, replacing
from evaluator.files.images import read_file, without_ending
from evaluator.files.output_files import make_folder_of
from evaluator.files.regular_file import read_regular_file
from evaluator.files.xmp import packet, with_description
from evaluator.report.text.escape import csv_text

COLUMNS = ("image", "caption", "outcome", "error", "model", "options")
RETRIED = frozenset(outcome.value for outcome in Outcome if outcome.can_be_retried)
BESIDE = (".txt", ".xmp")
TABLES = (".csv", ".jsonl")


@dataclass(frozen=True)
class MadeBy:
    """What the captions are made by. A table that other options have begun is not continued."""

    model: str
    options: str  # a hash of the model's and the prompt's options


class CaptionOutput(Protocol):
    """Where captions go, by what was typed for their pictures."""

    def done(self, places: Collection[str]) -> Collection[str]:
        """The pictures that need no caption any more. Raises UsageError for a file of somebody else."""

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Captions can be written within the block."""
        yield

    def write(self, place: str, caption: Caption) -> None:
        """Write one caption, so that no kill of the program can lose it."""


def caption_output(path: Path, made_by: MadeBy, root: Path | None, places: Collection[str]) -> CaptionOutput:
    """The output that `--output` names: captions.csv, captions.jsonl, .txt, .xmp, or a folder.

    `root` is the folder that was typed, if it was only one: pictures are then named by their path in it.
    """
    if path.name in BESIDE and not path.suffix:
        return BesidePictures(path.name, frozenset(map(without_ending, repeated(places))))
    if path.suffix in TABLES:
        return Table(path, made_by, root)
    if path.is_dir() or not path.suffix:
        return DescribedCopies(path, root)
    raise click.UsageError(
        f"--output {path}: type a file that ends in .csv or .jsonl, only .txt or .xmp for a file beside each "
        "picture, or a folder for copies of the pictures with their descriptions"
    )


def repeated(places: Iterable[str]) -> list[str]:
    """The pictures that differ from another one by their ending only, as kite.jpg and kite.png do."""
    by_stem: dict[str, list[str]] = {}
    for place in places:
        by_stem.setdefault(without_ending(place), []).append(place)
    return [place for those in by_stem.values() if len(those) > 1 for place in those]


@dataclass
class Table(CaptionOutput):
    """One row per picture, as CSV or JSON Lines."""

    path: Path
    made_by: MadeBy
    root: Path | None
    rows: dict[str, Mapping[str, str]] = field(default_factory=dict)  # of earlier commands, to be kept
    file: io.TextIOWrapper | None = None

    def done(self, places: Collection[str]) -> Collection[str]:
        if not self.path.exists():
            return ()
        text = read_regular_file(self.path).decode("utf-8-sig", "replace")
        found = list(self._csv_rows(text) if self.path.suffix == ".csv" else self._json_rows(text))
        others = {(row["model"], row["options"]) for row in found} - {
            (self.made_by.model, self.made_by.options)
        }
        if others:
            model = ", ".join(sorted({model for model, _ in others}))
            raise click.UsageError(
                f"--output {self.path}: it holds captions by {model} with other options. Type another file"
            )
        self.rows = {row["image"]: row for row in found if row["outcome"] not in RETRIED}
        return [place for place in places if self._name(place) in self.rows]

    @contextmanager
    def writing(self) -> Iterator[None]:
        """The file is first written again without failures and torn lines, and then only appended to."""
        make_folder_of(self.path)
        with replacing(self.path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            if self.path.suffix == ".csv":
                csv.writer(file).writerow(COLUMNS)
            file.writelines(map(self._line, self.rows.values()))
        with self.path.open("a", encoding="utf-8", newline="") as self.file:
            yield

    def write(self, place: str, caption: Caption) -> None:
        texts = {"caption": caption.text or "", "error": caption.error}
        if self.path.suffix == ".csv":
            texts = {name: csv_text(text) for name, text in texts.items()}
        row = {
            "image": self._name(place),
            "outcome": caption.outcome.value,
            "model": self.made_by.model,
            "options": self.made_by.options,
            **texts,
        }
        assert self.file
        self.file.write(self._line(row))
        self.file.flush()

    def _name(self, place: str) -> str:
        name = os.path.relpath(place, self.root).replace(os.sep, "/") if self.root else place
        return name.encode(errors="backslashreplace").decode()

    def _line(self, row: Mapping[str, str]) -> str:
        values = [row[column].encode("utf-8", "replace").decode() for column in COLUMNS]
        if self.path.suffix == ".jsonl":
            return json.dumps(dict(zip(COLUMNS, values, strict=True)), ensure_ascii=False) + "\n"
        line = io.StringIO()
        csv.writer(line).writerow(values)
        return line.getvalue()

    def _csv_rows(self, text: str) -> Iterator[Mapping[str, str]]:
        complete = text[: text.rfind("\n") + 1]  # a killed command may have torn the last line
        header, *rows = csv.reader(io.StringIO(complete, newline="")) if complete else [list(COLUMNS)]
        if tuple(header) != COLUMNS:
            raise self._not_ours()
        yield from (dict(zip(COLUMNS, row, strict=True)) for row in rows if len(row) == len(COLUMNS))

    def _json_rows(self, text: str) -> Iterator[Mapping[str, str]]:
        for line in text[: text.rfind("\n") + 1].split("\n"):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError:
                raise self._not_ours() from None
            if not isinstance(row, dict) or row.keys() != set(COLUMNS):
                raise self._not_ours()
            yield {column: str(value) for column, value in row.items()}

    def _not_ours(self) -> click.UsageError:
        return click.UsageError(
            f"--output {self.path}: this file is not one that `evaluator caption` wrote. Type another file"
        )


@dataclass(frozen=True)
class BesidePictures(CaptionOutput):
    """kite.txt or kite.xmp beside kite.jpg; kite.jpg.txt where there is also a kite.png."""

    ending: str
    ambiguous: frozenset[str]  # the names, without ending, that several pictures have

    def done(self, places: Collection[str]) -> Collection[str]:
        for place in places:
            if not os.path.exists(place):
                raise click.UsageError(f"--output {self.ending}: nothing can be written beside {place}")
        return [place for place in places if os.path.lexists(self._path(place))]

    def write(self, place: str, caption: Caption) -> None:
        if caption.text is None:
            return
        text = caption.text.encode("utf-8", "replace").decode()
        content = f"{text}\n" if self.ending == ".txt" else packet(text)
        path = self._path(place)
        if not os.path.lexists(path):  # somebody may have written it meanwhile
            replace_file(path, content.encode())

    def _path(self, place: str) -> Path:
        stem = without_ending(place)
        return Path(f"{place if stem in self.ambiguous else stem}{self.ending}")


@dataclass(frozen=True)
class DescribedCopies(CaptionOutput):
    """Copies of the pictures in another folder, under their paths, with the description as XMP.

    The description is in the copy of a JPEG, all other bytes of which stay as they are. It is beside the copy
    of a picture of another format, and of one that somebody has described.
    """

    folder: Path
    root: Path | None

    def done(self, places: Collection[str]) -> Collection[str]:
        if self.root and self.folder.resolve().is_relative_to(self.root.resolve()):
            raise click.UsageError(f"--output {self.folder}: the copies would lie among the pictures")
        targets: dict[Path, str] = {}
        for place in places:
            if not os.path.exists(place):
                raise click.UsageError(f"--output {self.folder}: type pictures of this machine, not {place}")
            if (other := targets.setdefault(self._path(place), place)) != place:
                raise click.UsageError(f"--output {self.folder}: {other} and {place} have one name")
            if self._path(place).exists() and os.path.samefile(place, self._path(place)):
                raise click.UsageError(f"--output {self.folder}: {place} is in this folder. Type another")
        return [place for place in places if self._path(place).exists()]

    def write(self, place: str, caption: Caption) -> None:
        if caption.text is None:
            return
        data, path = read_file(Path(place)), self._path(place)
        text = caption.text.encode("utf-8", "replace").decode()
        make_folder_of(path)
        try:
            described = with_description(data, text)
        except ValueError:
            described = data
            replace_file(Path(f"{path}.xmp"), packet(text).encode())
        with replacing(path) as temporary:  # last: it says that the picture is done
            temporary.write_bytes(described)
            shutil.copystat(place, temporary)

    def _path(self, place: str) -> Path:
        return self.folder / (os.path.relpath(place, self.root) if self.root else os.path.basename(place))
