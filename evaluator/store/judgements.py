"""What judges were asked about a run's captions, and what they answered: the folder `judgements`.

    judgements/gemini-clair/answers.jsonl    one line per question, in the form of captions.jsonl
    judgements/gemini-clair/requests.jsonl   each request, written down before it is sent

The id of a question says what it asks. So an answer is never taken for another caption, and no question is
asked twice, whichever command asks it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from evaluator.core import Question, Questionnaire, Runner
from evaluator.core.errors import StoreError
from evaluator.store.counts import known_sum
from evaluator.store.ledger import Ledger, writing_to
from evaluator.store.run import Attempts, read_attempts, without_final_outcome
from evaluator.store.run_files import FolderFiles

FOLDER = "judgements"
ANSWERS = "answers.jsonl"


def answered(questionnaire: Questionnaire, folder: Path, runner: Runner, spent_usd: float) -> Attempts:
    """Ask what has no answer in `folder` yet, and give all answers. `spent_usd` counts against the budget.

    Raises ModelError where no question can be asked, and StoreError where no answer can be kept.
    """
    with opened(folder / folder_name(questionnaire.name)) as ledger:
        if todo := without_final_outcome(questionnaire.questions, ledger.before.captions):
            runner.run(
                *(questionnaire.captioner, questionnaire.prompt, todo, ledger.record, spent_usd, ledger)
            )
        return ledger.attempts


def unanswered(questionnaire: Questionnaire, folder: Path) -> list[Question]:
    """The questions that have no final answer in `folder` yet. Nothing is written."""
    known = read_attempts(FolderFiles(folder / folder_name(questionnaire.name)), ANSWERS).captions
    return without_final_outcome(questionnaire.questions, known)


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    """The ledger in a folder that is created where it is missing. Raises StoreError."""
    with writing_to(folder):
        for path in (folder.parent, folder):
            if path.is_symlink():  # of a run folder that may be somebody else's
                raise StoreError(f"{path} is a link. Replace it by a folder, or delete it")
        folder.mkdir(parents=True, exist_ok=True)
    ledger = Ledger(folder, read_attempts(FolderFiles(folder), ANSWERS), ANSWERS)
    try:
        yield ledger
    finally:
        ledger.close()


def judging_usd(run: Path) -> float | None:
    """What all judges of a run have cost; None where no cost is known."""
    folders = sorted(path.parent for path in (run / FOLDER).glob(f"*/{ANSWERS}"))
    return known_sum(read_attempts(FolderFiles(folder), ANSWERS).cost_usd for folder in folders)


def folder_name(name: str) -> str:
    """A name that every file system takes; names that differ stay different.

    >>> folder_name("gemini-clair"), folder_name("my judge-clair")
    ('gemini-clair', 'my_judge-clair-6fef43')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name).strip(".")[:100]
    return plain if plain == name else f"{plain}-{hashlib.sha256(name.encode()).hexdigest()[:6]}"
