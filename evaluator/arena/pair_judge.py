"""A chat model that votes: each question in both orders, and what its answers are as votes.

Like the judge that scores captions, it only computes. Whoever uses it passes the questions through a runner
(`store/judgements.py`), which has the cache, the limits, the budget, the request book and the resume. The id
of a question is a digest of what it asks, so that nothing is asked twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from evaluator.arena.choice import Captions, Question
from evaluator.arena.votes import Vote, Winner, caption_digest
from evaluator.core import Caption, Item, Outcome, Prompt, Questionnaire
from evaluator.core import Question as TextToAsk
from evaluator.core.errors import DataError
from evaluator.scorers.judge.answer import Unreadable
from evaluator.scorers.judge.chat_judge import ChatJudge
from evaluator.scorers.judge.choices import label_of
from evaluator.scorers.judge.pair import PairRubric, pair_text, read_preference

USUAL_RUBRIC = "pair"
LONGEST_REASON = 2000  # characters


@dataclass(frozen=True)
class PairJudge(ChatJudge[PairRubric]):
    """`model` is a chat model of conf/model/ with these `options`, `rubric` one for pairs or a file."""

    rubric_class: ClassVar[type[PairRubric]] = PairRubric
    options_prefix: ClassVar[str] = "judge"

    model: str
    rubric: str = USUAL_RUBRIC
    options: Mapping[str, Any] = field(default_factory=dict)
    config_dir: Path | None = None

    @property
    def rater(self) -> str:
        """Who votes: the model, with the rubric where it is not the usual one."""
        model, rubric = label_of(self.model, self.options), Path(self.rubric).stem
        return model if rubric == USUAL_RUBRIC else f"{model} {rubric}"

    def questionnaire(
        self, questions: Sequence[Question], captions: Captions, items: Mapping[str, Item]
    ) -> Questionnaire:
        """What the model is asked. `items` have the pictures and references, by image.

        Raises DataError where the rubric needs what an image does not have.
        """
        asked = [self._asked(question, captions, items[question.image]) for question in questions]
        longest = max((each.text for each in asked), key=len, default="")
        prompt = Prompt(self.rubric, longest, self.rules.system)
        return Questionnaire(self.rater.replace(" ", "-"), self.captioner, prompt, asked)

    def votes(
        self,
        questions: Sequence[Question],
        captions: Captions,
        items: Mapping[str, Item],
        answers: Mapping[str, Caption],
    ) -> Iterator[Vote]:
        """A vote for each question; `skip`, with the reason, where its answer is none."""
        for question in questions:
            answer = answers.get(self._asked(question, captions, items[question.image]).id)
            winner, reason = verdict_in(answer, question)
            captions_of_image = captions.of[question.image]
            yield Vote(
                question.image,
                question.a,
                question.b,
                winner,
                self.rater,
                question.left,
                time_of(answer),
                reason[:LONGEST_REASON],
                caption_digest(captions_of_image[question.a]),
                caption_digest(captions_of_image[question.b]),
                by="judge",
            )

    def _asked(self, question: Question, captions: Captions, item: Item) -> TextToAsk:
        if self.rules.needs_references and not item.references:
            raise DataError(f"the rubric {self.rubric} needs references, and image {item.id} has none")
        if self.rules.picture and item.image is None:
            raise DataError(
                f"the rubric {self.rubric} needs the pictures, and that of image {item.id} is not at hand. "
                "Type --images DIR for pictures of runs that were made on another machine"
            )
        captions_of_image = captions.of[question.image]
        first, second = (question.a, question.b) if question.left == "a" else (question.b, question.a)
        text = pair_text(self.rules, captions_of_image[first], captions_of_image[second], item.references)
        picture = item.image if self.rules.picture else None
        digest = self.digest_of_question(text, picture)
        return TextToAsk(f"{item.id} {digest}", picture, text=text)


def in_both_orders(questions: Sequence[Question]) -> list[Question]:
    """Each question, and the same with the other caption first."""
    return [replace(question, left=left) for question in questions for left in ("a", "b")]


def verdict_in(answer: Caption | None, question: Question) -> tuple[Winner, str]:
    """Who wins by a model's answer, and why; `skip` with what it wrote where that is no preference."""
    if answer is None:
        return "skip", "not asked yet"
    text = answer.reply.text if answer.reply else ""
    if answer.outcome is not Outcome.OK:
        return "skip", f"{answer.outcome}: {answer.error} {text}".strip()
    try:
        preference, reason = read_preference(text)
    except Unreadable as problem:
        return "skip", f"{problem}. The answer: {text}"
    if preference == "tie":
        return "tie", reason
    # To the judge, A is the caption that it read first.
    return ("a" if (preference == "a") == (question.left == "a") else "b"), reason


def time_of(answer: Caption | None) -> str:
    """When a remote model answered, in UTC; empty where that is not known."""
    if answer is None or answer.answered_at is None:
        return ""
    moment = datetime.fromtimestamp(answer.answered_at, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
