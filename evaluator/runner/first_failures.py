"""A run whose first images all fail in the same way stops: all others would fail alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from evaluator.core import Caption, Outcome
from evaluator.core.errors import ModelError
from evaluator.core.reasons import failure_reasons, kind_of_failure

# What is no failure of the model: the budget was used up, or a captions file lacks the image.
EXPECTED = (Outcome.SKIPPED, Outcome.MISSING)
# A judge refuses single captions, and a server may block single texts.
EXPECTED_OF_QUESTIONS = (*EXPECTED, Outcome.REFUSED, Outcome.BLOCKED)


class FirstFailures:
    """Counts the failures that are alike until the first caption; `most` of None counts nothing."""

    def __init__(self, most: int | None, expected: Sequence[Outcome] = EXPECTED) -> None:
        self._most, self._expected = most, expected
        self._counts: Counter[tuple[Outcome, str]] = Counter()

    def count(self, caption: Caption) -> None:
        """Raises ModelError with the reason and what to type when too many have failed alike."""
        if self._most is None or caption.source != "model" or caption.outcome in self._expected:
            return
        if caption.outcome is Outcome.OK:
            self._most = None
            return
        self._counts[kind := kind_of_failure(caption)] += 1
        if self._counts[kind] < self._most:
            return
        (reason,) = failure_reasons([caption])
        sentences = [sentence(f"{caption.outcome}: {reason.message}"), sentence(reason.advice)]
        raise ModelError(
            f"the first {self._most} images have failed in the same way, so the run was stopped. "
            f"{' '.join(filter(None, sentences))} "
            "If the other images should be tried nevertheless, type runner.stop_after_failures=null"
        )


def sentence(text: str) -> str:
    """The text with a full stop, where it has none."""
    return text if not text or text.endswith(".") else f"{text}."
