"""What every runner needs to ask remote models: the limits, the cache, the budget and the prices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from annotated_types import Ge

from evaluator.core import (
    Captioner,
    DeviceUse,
    Item,
    Priced,
    Prompt,
    RemoteSession,
    Reply,
    RequestBook,
    Usage,
)
from evaluator.core.errors import ConfigError
from evaluator.runner.picture_workers import THREADS
from evaluator.runner.prices import price_of
from evaluator.runner.request_options import RequestPolicy, Requests

if TYPE_CHECKING:
    from evaluator.runner.answer_cache import CarefulCache
    from evaluator.runner.recording import Recorder


class Unwritten:
    """The request book of captions that nobody records: it only counts."""

    dearest_usd = 0.0

    def __init__(self) -> None:
        self._numbers = count(1)

    def reserve(self, requests: int) -> None:
        pass

    def sent(self, item_id: str, most_usd: float | None) -> int:
        return next(self._numbers)

    def ended(self, request: int, error: str, cost_usd: float | None, reply: Reply | None) -> None:
        pass

    def used(self, worker: int, use: DeviceUse) -> None:
        pass


@dataclass(frozen=True)
class RemoteOptions:
    """The options of a runner that concern remote models, and how these are asked.

    The first two concern local models as well.
    """

    stop_after_failures: Annotated[int, Ge(1)] | None = 10
    decode_workers: Annotated[int, Ge(1)] | Literal["auto"] = "auto"
    requests: Requests = field(default_factory=Requests)
    cache: Literal["off", "read", "refresh"] = "read"
    budget_usd: Annotated[float, Ge(0)] | None = None
    prices: Path | None = None

    def ask(
        self,
        session: RemoteSession,
        captioner: Captioner,
        prompt: Prompt,
        items: Sequence[Item],
        recorder: Recorder,
        spent_usd: float,
        book: RequestBook | None,
    ) -> None:
        """Send one request per item, many at once, with the captioner's open session."""
        from evaluator.runner.remote import RemoteRun

        usage = captioner.usage(prompt) if isinstance(captioner, Priced) else None
        threads = THREADS if self.decode_workers == "auto" else self.decode_workers
        with ExitStack() as stack:
            pool = ThreadPoolExecutor(threads, "decode")
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
            cache = stack.enter_context(self._answer_cache())
            run = RemoteRun(
                session,
                self.requests.for_model(usage),
                self.policy(usage, spent_usd),
                cache,
                book or Unwritten(),
                recorder,
                pool,
                recorder.display.wait,
            )
            run.caption_all(items)

    @contextmanager
    def _answer_cache(self) -> Iterator[CarefulCache]:
        from evaluator.runner.answer_cache import CarefulCache, cache_path, careful_cache

        if self.cache == "off":
            yield CarefulCache(None)
        else:
            with careful_cache(cache_path()) as cache:
                yield cache

    def check(self, captioner: Captioner, prompt: Prompt) -> None:
        """Raises ConfigError for a budget that cannot be kept."""
        if isinstance(captioner, Priced):
            usage = captioner.usage(prompt)
            price_of(usage.model, usage.provider, self.prices)
            self.policy(usage, 0.0)

    def policy(self, usage: Usage | None, spent_usd: float) -> RequestPolicy:
        """The policy for requests with these bounds. Raises ConfigError for a budget that cannot be kept."""
        if self.budget_usd is not None:
            if usage is None:
                raise ConfigError("budget_usd: the model does not give the bounds of a request. Leave it out")
            if price_of(usage.model, usage.provider, self.prices) is None:
                raise ConfigError(
                    f"budget_usd: no price of {usage.model} is known. Type prices=FILE with a file that has "
                    f"this line, in US dollars per million tokens: {usage.model}: {{input: ..., output: ...}}"
                )
        return RequestPolicy(
            self.cache == "read", self.budget_usd, spent_usd, self.prices, usage, self.stop_after_failures
        )
