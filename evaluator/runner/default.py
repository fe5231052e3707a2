"""The runner: local models in batches, remote models by many requests at once, as the captioner requires."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from evaluator.core import Caption, Captioner, Item, Priced, Prompt, RemoteSession, Reply, RequestBook, Usage
from evaluator.core.errors import ConfigError
from evaluator.runner.first_failures import FirstFailures
from evaluator.runner.prices import price_of
from evaluator.runner.request_options import RequestPolicy, Requests


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


@dataclass(frozen=True)
class DefaultRunner:
    """How captions are made. No option here changes a caption.

    `cache`, `budget_usd`, `prices` and `requests` concern remote models only.
    """

    kind: ClassVar[str] = "default"

    batch_size: Annotated[int, Ge(1)] = 32
    stop_after_failures: Annotated[int, Ge(1)] | None = 10
    decode_workers: Annotated[int, Ge(1)] = 2
    requests: Requests = field(default_factory=Requests)
    cache: Literal["off", "read", "refresh"] = "read"
    budget_usd: Annotated[float, Ge(0)] | None = None
    prices: Path | None = None

    def run(
        self,
        captioner: Captioner,
        prompt: Prompt,
        items: Iterable[Item],
        record: Callable[[Caption], None],
        spent_usd: float = 0.0,
        book: RequestBook | None = None,
    ) -> None:
        """Caption every item once; each caption is recorded as soon as it exists."""
        from evaluator.runner.progress import progress  # a finished run needs none of these imports

        items = list(items)
        first_failures = FirstFailures(self.stop_after_failures)
        with ExitStack() as stack:
            session = stack.enter_context(captioner.open(prompt))
            display = stack.enter_context(progress(len(items)))
            pool = ThreadPoolExecutor(self.decode_workers, "decode")
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)

            def record_and_advance(caption: Caption) -> None:
                record(caption)
                display.advance(caption)
                first_failures.count(caption)

            if not isinstance(session, RemoteSession):
                from evaluator.runner.local import caption_in_batches

                for caption in caption_in_batches(session, items, self.batch_size, pool):
                    record_and_advance(caption)
                return
            from evaluator.runner.answer_cache import CarefulCache, cache_path, careful_cache
            from evaluator.runner.remote import RemoteRun

            usage = captioner.usage(prompt) if isinstance(captioner, Priced) else None
            requests, policy = self.requests.for_model(usage), self.policy(usage, spent_usd)
            is_off = self.cache == "off"
            cache = CarefulCache(None) if is_off else stack.enter_context(careful_cache(cache_path()))
            run = RemoteRun(
                *(session, requests, policy, cache, book or Unwritten()),
                *(record_and_advance, pool, display.wait),
            )
            run.caption_all(items)

    def check(self, captioner: Captioner, prompt: Prompt) -> None:
        """Raises ConfigError for a price file that cannot be read, and a budget that cannot be kept."""
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
