"""What scores.json says of a run: scores with intervals, coverage, and how the captions are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evaluator.core.values import Outcome


@dataclass(frozen=True)
class Score:
    """One number of a run with its interval, or the reason why there is none."""

    name: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    signature: str = ""
    higher_is_better: bool = True
    images: int = 0  # how many rows the value comes from: fewer than the captions where some were not scored
    reason: str = ""  # why it was not computed, and what to type

    @property
    def computed(self) -> bool:
        return self.value is not None

    @property
    def goodness(self) -> float:
        """The value, turned round where a lower one is better."""
        value = self.value or 0.0
        return value if self.higher_is_better else -value


@dataclass(frozen=True)
class Style:
    """How a run's captions are written; shares are from 0 to 1, lengths in words."""

    words_mean: float
    words_median: float
    reference_words_mean: float | None  # None: no references
    reference_words_median: float | None
    preamble: float  # begin with "The image shows", "Here is a caption" and the like
    markdown: float
    several_sentences: float
    other_script: float  # hold letters of a script that is not Latin


@dataclass(frozen=True)
class Results:
    """What scores.json says: how much of the data set was captioned, and how well."""

    images: int
    outcomes: Mapping[str, int]
    scores: tuple[Score, ...]
    confidence: float = 0.95  # of the scores' intervals
    images_per_second: float | None = None
    cost_usd: float | None = None
    style: Style | None = None  # None where no image has a caption
    fingerprint: str = ""  # of everything the scores were computed from

    @property
    def captioned(self) -> int:
        return self.outcomes.get(Outcome.OK, 0)

    @property
    def coverage(self) -> float:
        """The share of the images that have a caption, from 0 to 1."""
        return self.captioned / self.images if self.images else 0.0

    @property
    def is_incomplete(self) -> bool:
        """Whether another run of the same folder could get more captions."""
        return any(Outcome(name).can_be_retried for name in self.outcomes)
