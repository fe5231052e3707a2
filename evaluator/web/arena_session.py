"""A session of the arena: several raters at once, each answer on the disk before the next question."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Literal

from evaluator.arena.choice import Captions, Question, next_question
from evaluator.arena.votes import Vote, Winner, append_vote, caption_digest, refuse_names, votes_of
from evaluator.core import Item
from evaluator.core.errors import DataError
from evaluator.files.images import is_file
from evaluator.files.json_bytes import decode_json
from evaluator.report.page.named_folders import NamedFolders
from evaluator.store.new_lines import NewLines
from evaluator.store.run import Run

Choice = Literal["left", "right", "tie", "both_bad", "skip"]
CHOICES: tuple[Choice, ...] = ("left", "right", "tie", "both_bad", "skip")
MOST_OPEN = 1_000  # questions that nobody has answered yet
LONGEST_NAME = 60  # characters
LONGEST_REASON = 1_000


@dataclass(frozen=True)
class Contest:
    """What is asked about: the captions of several systems, and the images with their pictures."""

    captions: Captions
    items: Mapping[str, Item]  # by id


@dataclass(frozen=True)
class OpenQuestion:
    """A question that a rater looks at. The ticket stands for it, and tells nobody the systems."""

    ticket: str
    rater: str
    question: Question


class Closed(LookupError):
    """A ticket that was answered already, or that another session gave."""


def contest(
    runs: Sequence[Run],
    names: Sequence[str],
    picture_folders: Sequence[Path] = (),
    needs_pictures: bool = True,
) -> Contest:
    """The images that runs captioned, those whose picture may be shown where pictures are needed.

    Runs are about the same image where its id and its references are the same. Raises DataError where there
    is no question to ask.
    """
    refuse_names(names, "the runs")
    named = NamedFolders(tuple(picture_folders))
    captions: dict[str, dict[str, str]] = {}
    items: dict[str, Item] = {}
    for run, name in zip(runs, names, strict=True):
        for item in run.items:
            caption = run.captions.get(item.id)
            known = items.get(item.id) or replace(item, image=None)
            if caption is None or caption.text is None or known.references != item.references:
                continue
            captions.setdefault(item.id, {})[name] = caption.text
            if known.image is None and (picture := named.picture(item, run)) and is_file(picture):
                known = replace(known, image=picture)
            items[item.id] = known
    found = Captions(
        {image: said for image, said in captions.items() if items[image].image or not needs_pictures}
    )
    if not found.questions:
        raise DataError(
            "there is nothing to vote on: no image has a picture at hand and different captions of two of "
            "these runs. Type --images DIR for pictures of runs that were made on another machine"
        )
    return Contest(found, items)


class ArenaSession:
    """Questions to raters, and their votes in a file. Several threads may ask at once.

    The file is the only memory: what it holds was said, by this session, an earlier one or another process.
    """

    def __init__(self, contest: Contest, votes: Path, random: Random) -> None:
        self.contest = contest
        self._path = votes
        self._random = random
        self._lock = threading.Lock()
        self._lines = NewLines(votes, vote_of_line)
        self._votes: dict[Vote, None] = {}
        self._open: OrderedDict[str, OpenQuestion] = OrderedDict()

    def ask(self, rater: str) -> OpenQuestion | None:
        """The rater's open question, else a new one; None where the rater was asked everything."""
        with self._lock:
            self._look()
            if mine := next((asked for asked in self._open.values() if asked.rater == rater), None):
                return mine
            pending = [asked.question for asked in self._open.values()]
            question = next_question(self.contest.captions, list(self._votes), rater, pending, self._random)
            if question is None:
                return None
            asked = OpenQuestion(secrets.token_urlsafe(12), rater, question)
            self._open[asked.ticket] = asked
            while len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
            return asked

    def answer(self, ticket: str, choice: Choice, reason: str) -> Vote:
        """Write the vote down. Raises Closed, and OSError where the disk does not take it: it stays open."""
        with self._lock:
            asked = self._open_question(ticket)
            question = asked.question
            said = self.contest.captions.of[question.image]
            vote = Vote(
                question.image,
                question.a,
                question.b,
                winner_of(choice, question),
                asked.rater,
                question.left,
                datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
                reason[:LONGEST_REASON],
                caption_digest(said[question.a]),
                caption_digest(said[question.b]),
            )
            append_vote(self._path, vote)
            del self._open[ticket]
            return vote

    def texts(self, asked: OpenQuestion) -> tuple[str, str]:
        """The captions on the left and on the right."""
        question = asked.question
        said = self.contest.captions.of[question.image]
        texts = said[question.a], said[question.b]
        return texts if question.left == "a" else texts[::-1]

    def picture(self, ticket: str) -> Path:
        """The picture of an open question. Raises Closed."""
        with self._lock:
            picture = self.contest.items[self._open_question(ticket).question.image].image
        if picture is None:
            raise Closed(ticket)
        return picture

    def counts(self, rater: str) -> tuple[int, int]:
        """How many votes on these captions there are, and how many of them are the rater's."""
        with self._lock:
            self._look()
            answers = [vote for _, vote in self.contest.captions.about(self._votes) if vote.is_answer]
            return len(answers), sum(vote.rater == rater for vote in answers)

    def _open_question(self, ticket: str) -> OpenQuestion:
        try:
            return self._open[ticket]
        except KeyError:
            raise Closed(ticket) from None

    def _look(self) -> None:
        """Read what this process and others have written."""
        is_another, new = self._lines.read()
        if is_another:
            self._lines = NewLines(self._path, vote_of_line)
            self._votes = {}
            new = self._lines.read()[1]
        self._votes |= dict.fromkeys(vote for vote in new if vote.by == "person")


def winner_of(choice: Choice, question: Question) -> Winner:
    match choice:
        case "left":
            return "a" if question.left == "a" else "b"
        case "right":
            return "b" if question.left == "a" else "a"
        case _:
            return choice


def vote_of_line(line: bytes) -> Vote:
    document = decode_json(line)
    if not isinstance(document, dict):
        raise ValueError("a vote is an object")
    (vote,) = votes_of([("this line", document)], Path())
    return vote
