"""What happens to each caption of a run: it is recorded, shown, and counted among the first failures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from evaluator.core import Caption, Item, Question
from evaluator.runner.first_failures import EXPECTED, EXPECTED_OF_QUESTIONS, FirstFailures
from evaluator.runner.progress import Display, progress


@dataclass(frozen=True)
class Recorder:
    """Takes the captions of one run as they come. Raises ModelError where the first ones fail alike."""

    record: Callable[[Caption], None]
    display: Display
    first_failures: FirstFailures

    def __call__(self, caption: Caption) -> None:
        self.keep(caption)
        self.first_failures.count(caption)

    def keep(self, caption: Caption) -> None:
        """Record it, and count it later: with other captions that must not be lost."""
        self.record(caption)
        self.display.advance(caption)


@contextmanager
def recording(
    items: Sequence[Item], record: Callable[[Caption], None], stop_after_failures: int | None
) -> Iterator[Recorder]:
    """The recorder of a run over these items, which shows its progress until the block ends."""
    are_questions = any(isinstance(item, Question) for item in items[:1])
    expected = EXPECTED_OF_QUESTIONS if are_questions else EXPECTED
    with progress(len(items), verb="judged" if are_questions else "captioned") as display:
        yield Recorder(record, display, FirstFailures(stop_after_failures, expected))
