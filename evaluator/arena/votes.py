"""Votes: which of two captions of an image somebody prefers. A file of votes has one line per vote.

    {"image": "139", "a": "gemini", "b": "blip2", "winner": "a", "rater": "anna", "left": "b",
     "time": "2026-05-04T10:31:09.120Z", "reason": "", "caption_a": "5f1c...", "caption_b": "a0b3...",
     "by": "person"}

    image                 the id of the image
    a, b                  the names of the two systems
    winner                a, b, tie, both_bad, or skip: asked, and not answered; "a" is the system under a,
                          also where the system under b is called "a"
    rater                 who voted: a name or a code
    left                  whose caption stood on the left, or was the first that a judge read: a or b
    time                  when, in UTC
    caption_a, caption_b  digests of the captions, so that a changed caption is asked again
    by                    person, or judge for a chat model that voted, whose name is in rater

Only the first four are needed. Files of several machines are merged by concatenation: a line that occurs
twice, with its time, is one vote. Tables and JSON of other programs are read as well, also with the column
names of Chatbot Arena (model_a, model_b, judge).
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, cast, get_args

from evaluator.captions_files.container import read_content
from evaluator.captions_files.decoding import UTF_16, decoded
from evaluator.captions_files.fields import plain
from evaluator.captions_files.rows import rows_of
from evaluator.core.errors import DataError
from evaluator.files.json_bytes import decode_json, encode_json
from evaluator.files.output_files import write_output
from evaluator.files.regular_file import read_regular_file
from evaluator.store.ledger import AppendedFile

Winner = Literal["a", "b", "tie", "both_bad", "skip"]
Side = Literal["a", "b", ""]
Voter = Literal["person", "judge"]
QuestionId = tuple[str, frozenset[str]]  # an image and two systems, whichever caption stood where

WINNERS = get_args(Winner)
NO_WINNER = WINNERS[2:]  # what stands for the winner where no system won: no system is called so
# How other programs say who won; the name of a system goes before these.
WINNERS_ELSEWHERE: Mapping[str, Winner] = MappingProxyType(
    {
        "model_a": "a",
        "model_b": "b",
        "tie (bothbad)": "both_bad",
        "both bad": "both_bad",
        "bothbad": "both_bad",
        "draw": "tie",
    }
)
# What columns are called, in the order in which they are looked for.
COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "image": ("image", "image_id", "question_id"),
        "a": ("a", "model_a", "system_a"),
        "b": ("b", "model_b", "system_b"),
        "winner": ("winner",),
        "rater": ("rater", "judge", "user"),
        "time": ("time", "tstamp"),
        "reason": ("reason",),
        "left": ("left",),
        "caption_a": ("caption_a",),
        "caption_b": ("caption_b",),
        "by": ("by",),
    }
)
REQUIRED = ("image", "a", "b", "winner")


@dataclass(frozen=True)
class Vote:
    """One answer to the question which of two captions is better."""

    image: str
    a: str
    b: str
    winner: Winner
    rater: str = ""
    left: Side = ""
    time: str = ""
    reason: str = ""
    caption_a: str = ""
    caption_b: str = ""
    by: Voter = "person"

    @property
    def question(self) -> QuestionId:
        return self.image, frozenset((self.a, self.b))

    @property
    def is_answer(self) -> bool:
        """Whether the question was answered, and not skipped."""
        return self.winner != "skip"

    @property
    def win_of_a(self) -> float:
        """What the vote adds to the wins of a over b: 1, 0, or a half where neither is better."""
        return {"a": 1.0, "b": 0.0}.get(self.winner, 0.5)

    @property
    def preferred(self) -> str:
        """The name of the system that won; else tie, both_bad or skip."""
        return {"a": self.a, "b": self.b}.get(self.winner, self.winner)

    @property
    def answer(self) -> str:
        """The same, where a vote that both are bad is a tie as well."""
        return "tie" if self.winner == "both_bad" else self.preferred


def caption_digest(caption: str) -> str:
    """What stands for a caption in a vote."""
    return hashlib.sha256(caption.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def append_vote(path: Path, vote: Vote) -> None:
    """Write a vote to the end of a file, made where it is missing; it is on the disk when this returns.

    Each vote is one write under a lock, so that several processes can write to one file. A line that a killed
    process left unfinished is ended first. Raises OSError.
    """
    from filelock import FileLock

    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(f".{path.name}.lock")):
        file = AppendedFile(path)
        try:
            file.append(encode_json(asdict(vote)) + b"\n")
        finally:
            file.close()


def write_votes(path: Path, votes: Iterable[Vote]) -> None:
    """Write a whole file of votes, or leave what was there. Raises StoreError."""
    write_output(path, "".join(encode_json(asdict(vote)).decode() + "\n" for vote in votes))


def without_names(votes: Iterable[Vote]) -> Iterator[Vote]:
    """The same votes without reasons and the names of people, for which numbers stand."""
    numbers: dict[str, str] = {}
    for vote in votes:
        is_person = vote.by == "person"
        rater = numbers.setdefault(vote.rater, str(len(numbers) + 1)) if is_person else vote.rater
        yield replace(vote, rater=rater, reason="")


def read_votes(paths: Iterable[Path]) -> tuple[list[Vote], list[str]]:
    """The votes in these files in their order, and warnings. Raises DataError that names the line."""
    votes: dict[Vote, None] = {}
    without_time: list[Vote] = []
    warnings: list[str] = []
    for path in paths:
        rows, torn = rows_in(path)
        if torn:
            warnings.append(f"{path}: lines that a killed process left unfinished were skipped: {torn}")
        for vote in votes_of(rows, path):
            if vote.time:
                votes[vote] = None
            else:
                without_time.append(vote)
    return [*votes, *without_time], warnings


def rows_in(path: Path) -> tuple[Sequence[tuple[str, Mapping[str, Any]]], int]:
    """Each row of a file with its place, and how many lines were torn."""
    if path.suffix.lower() != ".jsonl":
        rows = rows_of(read_content(path))
        return list(zip(rows.places, rows.entries, strict=True)), 0
    found: list[tuple[str, Mapping[str, Any]]] = []
    torn = 0
    raw = read_regular_file(path)
    if raw.startswith(UTF_16):  # as PowerShell writes what it concatenates
        raw = decoded(raw, path)[0].encode("utf-8", "surrogatepass")
    for number, line in enumerate(raw.split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            document = decode_json(line)
        except ValueError:
            torn += 1
            continue
        if not isinstance(document, dict):
            raise DataError(f"{path}: line {number}: a vote is an object with {', '.join(REQUIRED)}")
        found.append((f"line {number}", document))
    if torn and not found:
        raise DataError(f"{path}: no line of this file is JSON")
    return found, torn


def votes_of(rows: Sequence[tuple[str, Mapping[str, Any]]], path: Path) -> Iterator[Vote]:
    for place, row in rows:
        where = f"{path}: {place}"
        cells = {plain(name): cell for name, cell in row.items()}
        values = {
            field: text_of(cells[name], f"{where}: {name}")
            for field, names in COLUMNS.items()
            if (name := next((name for name in names if name in cells), None))
        }
        if missing := [field for field in REQUIRED if not values.get(field)]:
            wanted = " or ".join(COLUMNS[missing[0]])
            raise DataError(f"{where}: a vote needs {wanted}: found {', '.join(map(repr, row)) or 'nothing'}")
        if values["a"] == values["b"]:
            raise DataError(f"{where}: a and b are the same system, {values['a']!r}")
        refuse_names((values["a"], values["b"]), where)
        values["winner"] = winner_of(values, where)
        if values.get("left") not in get_args(Side):
            values["left"] = ""
        values["by"] = values.get("by", "").lower() or "person"
        if values["by"] not in get_args(Voter):
            raise DataError(f"{where}: by is {' or '.join(get_args(Voter))}, not {values['by']!r}")
        yield Vote(**cast(Any, values))


def text_of(cell: object, where: str) -> str:
    """What a cell says: a text, or a number or a truth value as one; empty where nothing is there."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, Mapping | list):
        raise DataError(f"{where} is neither text nor a number")
    return str(cell).strip()


def refuse_names(systems: Iterable[str], where: str) -> None:
    """Raise DataError where a system has a name that stands for no winner."""
    if name := next((name for name in systems if name in NO_WINNER), None):
        raise DataError(f"{where}: no system can be called {name!r}, which a vote says where none has won")


def winner_of(values: Mapping[str, str], where: str) -> Winner:
    """The column comes before the name: where b is called "a", the winner "a" is still the system under a."""
    written = values["winner"]
    if written not in WINNERS and written in (values["a"], values["b"]):
        return "a" if written == values["a"] else "b"
    winner = WINNERS_ELSEWHERE.get(written.lower(), written.lower())
    if winner not in WINNERS:
        raise DataError(f"{where}: the winner is one of {', '.join(WINNERS)}, not {written!r}")
    return cast(Winner, winner)
