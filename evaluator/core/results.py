"""What scores.json says of a run: scores with intervals, coverage, and how the captions are written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from evaluator.core.metrics import in_points
from evaluator.core.signature import Signature
from evaluator.core.values import Outcome


class WithInterval:
    """A value with its interval on the reference program's scale, and as people read them."""

    value: float
    low: float
    high: float

    @property
    def points(self) -> float:
        return in_points(self.value)

    @property
    def interval_points(self) -> tuple[float, float]:
        return in_points(self.low), in_points(self.high)


@dataclass(frozen=True)
class Score(WithInterval):
    """One number of a run with its interval, on the reference program's scale."""

    name: str
    value: float
    low: float
    high: float
    signature: Signature
    higher_is_better: bool = True
    images: int = 0  # how many images the value comes from: some captions may not have been scored
    cost_usd: float | None = None  # of a judge's questions, an equal part for each of its metrics
    cut_off: int = 0  # how many captions were longer than the metric can read: their ends do not count

    def __str__(self) -> str:
        return f"{self.name} {self.value:.4f} ({self.low:.4f} to {self.high:.4f})"

    @property
    def oriented(self) -> float:
        """The value, with its sign turned where a lower one is better."""
        return self.value if self.higher_is_better else -self.value


@dataclass(frozen=True)
class NotComputed:
    """A metric without a score, and why: the reason says what to type."""

    name: str
    reason: str


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
class Finding:
    """Something that is wrong with captions or references; evaluator/audit/findings.py has the kinds."""

    kind: str
    count: int  # captions that show it, or images
    of: int  # captions that were looked at: those that the run has, scored or not
    text: str = ""  # what was found, such as the shared beginning; else an example
    examples: tuple[str, ...] = ()  # ids of some of the images
    remedy: str = ""  # the option that shows the scores without it, such as normalize=strip_shared_start
    metric: str = ""  # the metric whose score is known without it
    score: float | None = None  # with it, on the reference program's scale
    score_without: float | None = None

    @property
    def share(self) -> float:
        """Of the captions, from 0 to 1."""
        return self.count / self.of if self.of else 0.0


@dataclass(frozen=True)
class DrawSpread:
    """How one metric's scores differ between several captions of the same image, on the program's scale."""

    name: str
    captions_per_image: int  # the most that an image has
    first: float  # the score of the images' first captions
    lowest: float  # of the scores of all first captions, of all second captions, ...
    highest: float
    best: float  # the score where each image counts with the caption that the metric likes best
    between_draws: float  # standard deviation of an image's captions around their mean
    between_images: float  # standard deviation of the images' expected scores


@dataclass(frozen=True)
class Results:
    """What scores.json says: how much of the data set was captioned, and how well."""

    images: int
    outcomes: Mapping[Outcome, int]
    scores: tuple[Score, ...]
    not_computed: tuple[NotComputed, ...] = ()
    confidence: float = 0.95  # of the scores' intervals
    images_per_second: float | None = None
    seconds_to_load: float | None = None  # of a local model
    peak_memory: int | None = None  # of a local model, in bytes, the most of one device
    cost_usd: float | None = None
    style: Style | None = None  # None where no image has a caption
    findings: tuple[Finding, ...] = ()  # what is wrong with the captions
    fingerprint: str = ""  # of everything the scores were computed from
    final_failures: int = 0  # errors and skipped images of a captions file, which no attempt changes
    unanswered: tuple[str, ...] = ()  # the metrics of judges that owe an answer
    draws: tuple[DrawSpread, ...] = ()  # of a run with several captions per image, whose scores are means
    draws_to_make: int = 0  # the further captions that the same command could get

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that was asked for."""
        return (*(score.name for score in self.scores), *(entry.name for entry in self.not_computed))

    @property
    def captioned(self) -> int:
        return self.outcomes.get(Outcome.OK, 0)

    @property
    def failures(self) -> dict[Outcome, int]:
        """How many images ended without a caption, by outcome."""
        return {outcome: count for outcome, count in self.outcomes.items() if outcome is not Outcome.OK}

    @property
    def not_tried(self) -> int:
        """The images that no attempt was made for yet."""
        return max(0, self.images - sum(self.outcomes.values()))

    @property
    def coverage(self) -> float:
        """The share of the images that have a caption, from 0 to 1."""
        return self.captioned / self.images if self.images else 0.0

    @property
    def is_incomplete(self) -> bool:
        """Whether the same command could get more captions, or more answers of a judge."""
        failed = sum(count for outcome, count in self.outcomes.items() if outcome.can_be_retried)
        owed = bool(self.unanswered) or self.draws_to_make > 0
        return self.not_tried > 0 or failed > self.final_failures or owed
