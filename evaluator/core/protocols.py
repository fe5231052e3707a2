"""What a component of each group can do: the protocols that data sets, models, scorers and runners follow."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from evaluator.core.arrays import Array
from evaluator.core.errors import CaptionError
from evaluator.core.measurement import Measurement
from evaluator.core.values import (
    Caption,
    DeviceUse,
    Item,
    Placement,
    Prompt,
    Question,
    Reply,
    Usage,
    WeightsSize,
)


class Dataset(Protocol):
    """Anything that can list its items. Raises DataError for files that are wrong."""

    def load(self) -> list[Item]: ...


@runtime_checkable
class Splits(Protocol):
    """A data set whose file holds several splits, of which it lists one."""

    def splits(self) -> Mapping[str, Sequence[Item]]:
        """The items of every split by its name, for messages."""


@runtime_checkable
class FetchesPictures(Protocol):
    """A data set whose pictures are somewhere else until a run needs them."""

    def fetch(self, items: Sequence[Item]) -> None:
        """Fetch the pictures of these items that are not there yet. What fails is only logged."""


@runtime_checkable
class HasSource(Protocol):
    """A data set that other people may change at its source."""

    def source(self) -> Mapping[str, str]:
        """Which version of it was read, for the record: each part by its name. Raises DataError."""


class Session(Protocol):
    """An open captioner: the weights are loaded or the client is connected."""

    def prepare(self, item: Item) -> Any:
        """Read what captioning `item` needs; runs ahead in worker threads. Raises ImageError."""

    def caption(self, prepared: Sequence[Any]) -> Sequence[Reply | CaptionError]:
        """One reply, or the CaptionError that stands for it, for each prepared item.

        Raises OutOfMemory when the batch is too large: the runner then halves it.
        """


@runtime_checkable
class PreparesApart(Protocol):
    """A Session that says how its pictures are best prepared ahead."""

    @property
    def prepares_apart(self) -> bool:
        """Whether `prepare` is much work, uses no device, and returns what a process can send: arrays."""

    @property
    def cpu_threads(self) -> int:
        """How many CPUs `caption` keeps busy."""


@runtime_checkable
class RunsHere(Protocol):
    """A Session whose model computes on a device of this machine."""

    @property
    def placement(self) -> Placement: ...

    @property
    def memory_options(self) -> Mapping[str, Any]:
        """What decides, on a given device, how many pictures fit into its memory: checkpoint, beams."""


@runtime_checkable
class PreparesElsewhere(Protocol):
    """A captioner whose pictures can be prepared where its weights are not, as on machines without a GPU."""

    def preparing(self, prompt: Prompt) -> Callable[[Item], Any]:
        """What the `prepare` of its session does. Loads the processor only. Raises ModelError."""


@runtime_checkable
class HasShapes(Protocol):
    """A Session whose pictures are captioned together only where they have the same shape."""

    def shape_of(self, prepared: Any) -> Hashable: ...


@runtime_checkable
class RemoteSession(Protocol):
    """An open captioner that answers one image at a time, many at once: a connected client."""

    def prepare(self, item: Item) -> Any:
        """Read and encode the picture; runs ahead in worker threads. Raises ImageError."""

    def cache_key(self, prepared: Any) -> Mapping[str, Any]:
        """Everything that decides the answer: the picture's digest, the backend, model, prompt, options."""

    async def ask(self, prepared: Any) -> Reply:
        """One request. Raises CaptionError for a final answer without a caption, RetryableError if another
        attempt may succeed, and ModelError if no further request of this run can succeed.
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


@runtime_checkable
class Samples(Protocol):
    """A captioner that may give another answer where the same is asked again."""

    def fixed_by(self) -> str:
        """The options that make all answers alike, such as `temperature=0`; empty where they may differ."""


@runtime_checkable
class Weighted(Protocol):
    """A captioner whose weights are loaded here."""

    def weights_size(self) -> WeightsSize | None:
        """For the plan; None where it is not known. Opens nothing and downloads nothing."""


@runtime_checkable
class OnDevice(Protocol):
    """A captioner whose option `device` chooses where on this machine it computes."""

    @property
    def device(self) -> str:
        """A name of torch's, such as `cuda:1`, or `auto`."""


class Captioner(Protocol):
    """Options only, so that it pickles; weights and clients live inside `open`."""

    def check(self, prompt: Prompt, items: Sequence[Item]) -> Sequence[str]:
        """Warnings before anything is captioned. Raises ConfigError for what cannot work at all."""

    def open(self, prompt: Prompt) -> AbstractContextManager[Session | RemoteSession]: ...


@runtime_checkable
class ForData(Protocol):
    """A captioner that must know the whole data set, as one that takes its captions from a file."""

    def for_data(self, data: Dataset | None, items: Sequence[Item]) -> Captioner:
        """The same captioner for these items, which are all of the data set."""


class Scorer(Protocol):
    """One metric, or several that come from one pass."""

    @property
    def names(self) -> tuple[str, ...]:
        """The metrics that `score` gives, in the order of the table."""

    def score(self, items: Sequence[Item], captions: Sequence[str]) -> list[Measurement]:
        """Row i of each measurement belongs to items[i]. Raises MetricError with the reason."""


class RowScorer(Protocol):
    """The two halves of a scorer that gets its images in parts."""

    def rows(self, items: Sequence[Item], captions: Sequence[str]) -> Array:
        """The statistics (N, K) of N of the images; zeros for one that cannot be scored."""

    def measurements(self, items: Sequence[Item], rows: Array) -> list[Measurement]:
        """What the rows of all images make. Raises MetricError where no image can be scored."""


@runtime_checkable
class InParts(Scorer, Protocol):
    """A scorer that can get its images in parts, since the row of an image depends on no other image.

    So a million images are never in memory in all their forms at once.
    """

    def for_parts_of(self, items: Sequence[Item]) -> RowScorer:
        """What measures each part. It may have learnt from all items, as CIDEr does their n-grams."""


@runtime_checkable
class CorpusDependent(Protocol):
    """A scorer whose weights come from the data set as a whole, as CIDEr's document frequencies do.

    Its scores of some of the images are not those that the same images have within the whole.
    """

    @property
    def depends_on_corpus(self) -> bool:
        """Whether the weights come from the images being scored, and not from a fixed table."""

    def pinned_to(self, items: Sequence[Item], name: str) -> Scorer:
        """The same scorer with the weights of all these items, under the data set's name."""


@dataclass(frozen=True)
class Questionnaire:
    """Questions to one model, which pass a runner as pictures to caption do."""

    name: str  # of the folder that keeps the answers
    captioner: Captioner
    prompt: Prompt  # with the system text of all questions, and the longest text of one
    questions: Sequence[Question]


@runtime_checkable
class AsksModel(Scorer, Protocol):
    """A scorer that asks a model. Its two halves compute; whoever scores asks the questions in between.

    Its `score`, which nobody can answer, raises MetricError.
    """

    def check(self, runner: Runner) -> Sequence[str]:
        """Warnings before anything is paid for. Raises an error for what cannot work at all."""

    def questionnaire(self, items: Sequence[Item], captions: Sequence[str]) -> Questionnaire:
        """The questions about captions[i] of items[i]. Raises MetricError where none can be asked."""

    def measure(
        self, items: Sequence[Item], captions: Sequence[str], answers: Mapping[str, Caption]
    ) -> list[Measurement]:
        """Row i of each measurement belongs to items[i]; answers go by the ids of the questions."""


class RequestBook(Protocol):
    """Where each request to a remote model is written down before it is sent.

    So the cost and the budget know every request, also one whose answer a kill lost. What a local model
    takes of its devices is written down here too.
    """

    @property
    def dearest_usd(self) -> float:
        """What the dearest request of the run has cost so far."""

    def reserve(self, requests: int) -> None:
        """Make sure that the answers of so many requests can be recorded. Raises StoreError."""

    def sent(self, item_id: str, most_usd: float | None, job: str = "", key: str = "") -> int:
        """A request is about to be sent that costs at most this. Returns its number. Raises StoreError.

        One that is part of a `job` is written down with the `key` of its answer in the cache.
        """

    def ended(self, request: int, error: str, cost_usd: float | None, reply: Reply | None) -> None:
        """The request brought no caption; its cost replaces the most that it could cost."""

    def used(self, worker: int, use: DeviceUse) -> None:
        """What the model has taken so far in this process; it replaces what was said of it before."""


@runtime_checkable
class ChecksBefore(Protocol):
    """A runner that can say before a run that it cannot work."""

    def check(self, captioner: Captioner, prompt: Prompt) -> None:
        """Raises ConfigError for options that do not fit this captioner, such as a budget without a price."""


class Runner(Protocol):
    """Takes items through a captioner and hands over each caption as soon as it is there."""

    def run(
        self,
        captioner: Captioner,
        prompt: Prompt,
        items: Iterable[Item],
        record: Callable[[Caption], None],
        spent_usd: float = 0.0,
        book: RequestBook | None = None,
    ) -> None:
        """`spent_usd` is what the run has cost already: a budget is one of the run, not of the command.

        What the captions take, requests or devices, is written down in `book`.
        """
