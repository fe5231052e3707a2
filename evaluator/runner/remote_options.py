"""What every runner needs to ask remote models: the limits, the cache, the budget and the prices."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
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
from evaluator.runner.picture_workers import THREADS
from evaluator.runner.prices import Price, price_of
from evaluator.runner.request_options import RequestPolicy, Requests, request_policy

if TYPE_CHECKING:
    from evaluator.runner.recording import Recorder


class Unwritten:
    """The request book of captions that nobody records: it only counts."""

    dearest_usd = 0.0

    def __init__(self) -> None:
        self._numbers = count(1)

    def reserve(self, requests: int) -> None:
        pass

    def sent(self, item_id: str, most_usd: float | None, job: str = "", key: str = "") -> int:
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
        from evaluator.runner.answer_cache import cache_for
        from evaluator.runner.remote import RemoteRun

        usage = captioner.usage(prompt) if isinstance(captioner, Priced) else None
        threads = THREADS if self.decode_workers == "auto" else self.decode_workers
        with ExitStack() as stack:
            pool = ThreadPoolExecutor(threads, "decode")
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)
            cache = stack.enter_context(cache_for(self.cache))
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

    def check(self, captioner: Captioner, prompt: Prompt) -> None:
        """Raises ConfigError for a budget that cannot be kept."""
        if isinstance(captioner, Priced):
            usage = captioner.usage(prompt)
            self.price(usage)
            self.policy(usage, 0.0)

    def price(self, usage: Usage) -> Price | None:
        return price_of(usage.model, usage.provider, self.prices)

    def policy(self, usage: Usage | None, spent_usd: float) -> RequestPolicy:
        """The policy for requests with these bounds. Raises ConfigError for a budget that cannot be kept."""
        at_first = self.stop_after_failures
        return request_policy(usage, spent_usd, self.cache, self.budget_usd, self.prices, at_first)
