"""The few types everybody speaks: items, prompts, replies, captions, outcomes, measurements.

A measurement keeps one row of sufficient statistics an image and the name of the function that turns
(sums of) rows into a score. A corpus score is that function of the summed rows, a per-image score is the
same function of one row, and a bootstrap resample is the same function of a weighted sum:

    >>> import numpy as np
    >>> lengths = Measurement("words", np.array([[9.0, 1.0], [12.0, 1.0]]), "mean", signature="words")
    >>> float(lengths.value), lengths.per_image.tolist()
    (10.5, [9.0, 12.0])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from evaluator.errors import CaptionError

Array = NDArray[np.float64]

# Metadata of a field that changes how fast or where captions are made, never what they say:
# it takes no part in a run's name and never blocks a resume.
NOT_IDENTITY: Mapping[str, bool] = MappingProxyType({"identity": False})


@dataclass(frozen=True)
class Item:
    """One image to caption, with what people wrote about it."""

    id: str
    image: Path | None
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prompt:
    """What a captioner is told besides the image. An empty text is a prompt too: GIT and BLIP need none."""

    kind: ClassVar[str] = "prompt"

    name: str
    text: str = ""
    system: str = ""
    shots: tuple[str, ...] = ()


# The finish reason of a caption that was made elsewhere: it took no time and cost nothing here.
SUPPLIED = "supplied"


class Outcome(StrEnum):
    """How the attempt to caption one image ended. Only `OK` is ever scored as a caption."""

    OK = "ok"
    EMPTY = "empty"
    TRUNCATED = "truncated"  # a cloud reply cut off; a local model at max_new_tokens is OK
    REFUSED = "refused"
    BLOCKED = "blocked"
    ERROR = "error"
    SKIPPED = "skipped"  # the budget was used up
    MISSING = "missing"  # a captions file lacks the image

    @property
    def can_be_retried(self) -> bool:
        """Whether a further run could get this caption: the next one of the same folder asks again."""
        return self in (Outcome.ERROR, Outcome.SKIPPED)


@dataclass(frozen=True)
class Reply:
    """What a model said, and what the saying took, as it is billed."""

    text: str
    model_version: str = ""
    input_tokens: int | None = None  # all of them, those that the provider had cached too
    output_tokens: int | None = None  # all of them, reasoning too
    reasoning_tokens: int | None = None
    finish_reason: str = ""
    cached_input_tokens: int | None = None


@dataclass(frozen=True)
class Usage:
    """What one request may take, each as (at least, at most), known before it is sent."""

    model: str  # as the price table names it
    input_tokens: tuple[int, int]
    output_tokens: tuple[int, int]
    provider: str = ""  # whose account it counts against, for limits that all its models have


@dataclass(frozen=True)
class Caption:
    """One line of captions.jsonl: the outcome for one item."""

    item_id: str
    outcome: Outcome
    reply: Reply | None = None
    error: str = ""
    seconds: float = 0.0
    attempts: int = 1
    cost_usd: float | None = None
    cached: bool = False
    answered_at: float | None = None  # Unix seconds, where many requests are on their way at once

    @property
    def text(self) -> str | None:
        """The caption to score, None where there is none."""
        return self.reply.text if self.outcome is Outcome.OK and self.reply else None


def mean(rows: Array) -> Array:
    """Rows (..., 2) of (sum, count) -> (...): their mean, NaN where nothing was counted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(rows[..., 0] / rows[..., 1])


def bleu(rows: Array, order: int) -> Array:
    """Rows (..., 10) of 4 matches, 4 totals, length, closest reference length -> (...): BLEU of `order`.

    The two small constants are those of coco-caption's bleu_scorer.py, which keep a product with no
    match from being exactly zero and make the sentence scores comparable with its own.
    """
    tiny, small = 1e-15, 1e-9
    precisions = (rows[..., :order] + tiny) / (rows[..., 4 : 4 + order] + small)
    ratio = (rows[..., 8] + tiny) / (rows[..., 9] + small)
    brevity = np.exp(np.minimum(0.0, 1.0 - 1.0 / ratio))
    score = np.prod(precisions, axis=-1) ** (1.0 / order) * brevity
    return np.where(rows[..., 8:].any(axis=-1), score, np.nan)


# METEOR 1.5's parameters for English (Denkowski and Lavie 2014, https://aclanthology.org/W14-3348): how much
# more recall counts than precision; how steeply the penalty of chunks grows, and up to what; what a content
# word weighs, and a function word the rest; what a match weighs, exact, by stem, by synonym, by paraphrase.
METEOR_ALPHA, METEOR_BETA, METEOR_GAMMA, METEOR_DELTA = 0.85, 0.20, 0.60, 0.75
METEOR_WEIGHTS = (1.0, 0.6, 0.8, 0.6)


def meteor(rows: Array) -> Array:
    """Rows (..., 23) of METEOR 1.5's own statistics -> (...): its score, from 0 to 1.

    For caption and reference each: words 0:2, function words 2:4; for each kind of match the content words
    and the function words that it covers, 4:20; chunks 20, none where both texts are one chunk; words that
    are covered, 21:23.
    """
    length, function_words, chunks, covered = rows[..., :2], rows[..., 2:4], rows[..., 20], rows[..., 21:]
    weighted_length = METEOR_DELTA * (length - function_words) + (1.0 - METEOR_DELTA) * function_words
    # One addition after the other, as the program does it: two references may tie but for the last digit.
    matches = np.zeros_like(weighted_length)
    for first, share in ((4, METEOR_DELTA), (6, 1.0 - METEOR_DELTA)):
        for kind, weight in enumerate(METEOR_WEIGHTS):
            matches = matches + rows[..., first + 4 * kind : first + 4 * kind + 2] * weight * share
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = np.moveaxis(matches / weighted_length, -1, 0)
        mean_of_both = 1.0 / ((1.0 - METEOR_ALPHA) / precision + METEOR_ALPHA / recall)
        fragmentation = chunks / (covered.sum(axis=-1) / 2.0)
        score = mean_of_both * (1.0 - METEOR_GAMMA * fragmentation**METEOR_BETA)
    return np.where(rows.any(axis=-1), np.maximum(np.nan_to_num(score), 0.0), np.nan)


# Stored by name, so that a run folder can be compared without the scorer that made it.
AGGREGATES: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {"mean": mean, "meteor": meteor} | {f"bleu-{order}": partial(bleu, order=order) for order in range(1, 5)}
)


@dataclass(frozen=True, eq=False)
class Measurement:
    """One metric over N captioned images: statistics (N, K) and the name of their aggregate.

    A row of zeros is an image that could not be scored: NaN for itself, absent from the sum.
    """

    name: str
    statistics: Array = field(repr=False)
    aggregate: str
    signature: str
    higher_is_better: bool = True

    @property
    def value(self) -> float:
        """The corpus score, on the reference program's scale."""
        return float(AGGREGATES[self.aggregate](self.statistics.sum(axis=0)))

    @property
    def per_image(self) -> Array:
        """The score of each image alone, (N,)."""
        return AGGREGATES[self.aggregate](self.statistics)

    @property
    def scored(self) -> NDArray[np.bool_]:
        """Which images could be scored, (N,)."""
        return np.asarray(self.statistics.any(axis=-1))


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


class Dataset(Protocol):
    """Anything that can list its items. Raises DataError for files that are wrong."""

    def load(self) -> list[Item]: ...


class Session(Protocol):
    """An open captioner: the weights are loaded or the client is connected."""

    def prepare(self, item: Item) -> Any:
        """Read what captioning `item` needs; runs ahead in worker threads. Raises ImageError."""

    def caption(self, prepared: Sequence[Any]) -> Sequence[Reply | CaptionError]:
        """One reply, or the CaptionError that stands for it, for each prepared item.

        Raises OutOfMemory when the batch is too large: the runner then halves it.
        """


@runtime_checkable
class RemoteSession(Protocol):
    """An open captioner that answers one image at a time, many at once: a connected client."""

    def prepare(self, item: Item) -> Any:
        """Read and encode the picture; runs ahead in worker threads. Raises ImageError."""

    def cache_key(self, prepared: Any) -> Mapping[str, Any]:
        """Everything that decides the answer: the picture's digest, the backend, model, prompt, options."""

    async def ask(self, prepared: Any) -> Reply:
        """One request. Raises CaptionError where the answer is final and no caption, TryAgain where another
        attempt may help, and ModelError where no further request of this run can succeed.
        """


@runtime_checkable
class Closing(Protocol):
    """A RemoteSession whose client must be closed in the event loop that it was used in."""

    async def close(self) -> None: ...


@runtime_checkable
class Priced(Protocol):
    """A captioner whose requests cost money or count against a limit of tokens."""

    def usage(self, prompt: Prompt) -> Usage:
        """The bounds of one request, for the plan and the budget. Needs no key and sends nothing."""


class Captioner(Protocol):
    """Options only, so that it pickles; weights and clients live inside `open`."""

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """Warnings before anything is captioned. Raises ConfigError for what cannot work at all."""

    def open(self, prompt: Prompt) -> AbstractContextManager[Session | RemoteSession]: ...


class Scorer(Protocol):
    """One metric, or several that come from one pass."""

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics that `score` gives, in the order of the table."""

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Row i of each measurement belongs to items[i]. Raises NotComputed with the reason."""


class Runner(Protocol):
    """Takes items through a captioner and hands over each caption as soon as it is there."""

    def run(
        self,
        captioner: Captioner,
        prompt: Prompt,
        items: Iterable[Item],
        record: Callable[[Caption], None],
        spent_usd: float = 0.0,
    ) -> None:
        """`spent_usd` is what the run has cost already: a budget is one of the run, not of the command."""
