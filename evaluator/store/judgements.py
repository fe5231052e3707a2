"""What judges were asked about a run's captions, and what they answered: the folder `judgements`.

    judgements/gemini-clair/answers.jsonl    one line per question, in the form of captions.jsonl
    judgements/gemini-clair/requests.jsonl   each request, written down before it is sent

The id of a question says what it asks. So an answer is never taken for another caption, and no question is
asked twice, whichever command asks it.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from evaluator.core import AsksModel, Item, Measurement, Question, Questionnaire, Runner, Scorer
from evaluator.store.attempts import Attempts, read_attempts, without_final_outcome
from evaluator.store.counts import known_sum
from evaluator.store.ledger import ledger_within
from evaluator.store.run_files import FolderFiles

logger = logging.getLogger(__name__)

FOLDER = "judgements"
ANSWERS = "answers.jsonl"


@dataclass
class AnsweredJudge:
    """A judge as an ordinary scorer: its questions pass a runner, and the answers are kept in a folder."""

    judge: AsksModel
    folder: Path  # of all judges' answers
    runner: Runner
    spent_usd: float  # of the budget, besides what judges have cost
    sends_pictures: bool = True
    answers: Attempts | None = field(default=None, init=False)  # once the questions were asked
    is_incomplete: bool = field(default=False, init=False)  # whether some have no final answer

    @property
    def names(self) -> tuple[str, ...]:
        return self.judge.names

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Raises ModelError where the model cannot be asked at all."""
        if not self.sends_pictures:
            items = [replace(item, image=None) for item in items]
        questions = self.judge.questionnaire(items, captions)
        spent_usd = self.spent_usd + (cost_usd(self.folder) or 0.0)
        self.answers = answered(questions, self.folder, self.runner, spent_usd)
        measured = self.judge.measure(items, captions, self.answers.captions)
        of_now = [self.answers.captions.get(question.id) for question in questions.questions]
        if missing := [each for each in of_now if each is None or each.outcome.can_be_retried]:
            self.is_incomplete = True
            reasons = sorted({str(each.outcome) for each in missing if each})
            logger.warning(
                "%s: %d of %d questions have no answer yet (%s). The same command asks them again",
                *(", ".join(self.names), len(missing), len(of_now), ", ".join(reasons)),
            )
        return measured

    @property
    def cost_usd(self) -> float | None:
        """What the judge has cost in this folder, for each of its metrics alike; None where not known."""
        cost = self.answers.cost_usd if self.answers else None
        return None if cost is None else cost / len(self.names)


def with_answers(
    scorers: Mapping[str, Scorer],
    folder: Path,
    runner: Runner,
    spent_usd: float = 0.0,
    sends_pictures: bool = True,
) -> dict[str, Scorer]:
    """The scorers, each judge as one whose questions are asked and whose answers are kept in `folder`.

    `spent_usd` counts against the budget, besides what the judges have cost already. Without
    `sends_pictures` no judge gets a picture: somebody else's run folder may name any picture of this machine.
    """
    return {
        name: AnsweredJudge(one, folder, runner, spent_usd, sends_pictures)
        if isinstance(one, AsksModel)
        else one
        for name, one in scorers.items()
    }


def costs_usd(scorers: Mapping[str, Scorer]) -> dict[str, float | None]:
    """What each metric of the judges has cost."""
    judges = (one for one in scorers.values() if isinstance(one, AnsweredJudge))
    return {name: judge.cost_usd for judge in judges for name in judge.names}


def incomplete(scorers: Mapping[str, Scorer]) -> set[str]:
    """The metrics of judges that have not answered everything yet."""
    judges = (one for one in scorers.values() if isinstance(one, AnsweredJudge))
    return {name for judge in judges if judge.is_incomplete for name in judge.names}


def answered(questionnaire: Questionnaire, folder: Path, runner: Runner, spent_usd: float) -> Attempts:
    """Ask what has no answer in `folder` yet, and give all answers. `spent_usd` counts against the budget.

    Raises ModelError where no question can be asked, and StoreError where no answer can be kept.
    """
    with ledger_within(folder / folder_name(questionnaire.name), ANSWERS) as ledger:
        if todo := without_final_outcome(questionnaire.questions, ledger.before.captions):
            runner.run(
                *(questionnaire.captioner, questionnaire.prompt, todo, ledger.record, spent_usd, ledger)
            )
        return ledger.attempts


def unanswered(questionnaire: Questionnaire, folder: Path) -> list[Question]:
    """The questions that have no final answer in `folder` yet. Nothing is written."""
    known = read_attempts(FolderFiles(folder / folder_name(questionnaire.name)), ANSWERS).captions
    return without_final_outcome(questionnaire.questions, known)


def cost_usd(folder: Path) -> float | None:
    """What all judges whose answers are in a folder have cost; None where no cost is known."""
    folders = sorted(path.parent for path in folder.glob(f"*/{ANSWERS}"))
    return known_sum(read_attempts(FolderFiles(folder), ANSWERS).cost_usd for folder in folders)


def folder_name(name: str) -> str:
    """A name that every file system takes; names that differ stay different.

    >>> folder_name("gemini-clair"), folder_name("my judge-clair")
    ('gemini-clair', 'my_judge-clair-6fef43')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name).strip(".")[:100]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
