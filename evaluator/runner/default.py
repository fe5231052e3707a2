"""The runner: local models in batches, remote models by many requests at once, as the captioner requires."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from annotated_types import Ge

from evaluator.core import (
    Caption,
    Captioner,
    Item,
    OnDevice,
    Priced,
    Prompt,
    Question,
    RemoteSession,
    Reply,
    RequestBook,
    Usage,
)
from evaluator.core.errors import ConfigError
from evaluator.runner.devices import AUTO, Device, devices_for, on_device
from evaluator.runner.first_failures import EXPECTED, EXPECTED_OF_QUESTIONS, FirstFailures
from evaluator.runner.picture_workers import THREADS
from evaluator.runner.prices import price_of
from evaluator.runner.request_options import RequestPolicy, Requests

if TYPE_CHECKING:
    from evaluator.runner.answer_cache import CarefulCache

logger = logging.getLogger(__name__)


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
    decode_workers: Annotated[int, Ge(1)] | Literal["auto"] = "auto"
    decode_in: Literal["auto", "threads", "processes"] = "auto"
    devices: Device | tuple[Device, ...] = AUTO
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
        # A finished run needs none of these imports.
        from evaluator.runner.device_processes import captions_of_devices
        from evaluator.runner.local import Batches
        from evaluator.runner.progress import progress
        from evaluator.runner.remote import RemoteRun

        items = list(items)
        are_questions = any(isinstance(item, Question) for item in items[:1])
        expected = EXPECTED_OF_QUESTIONS if are_questions else EXPECTED
        first_failures = FirstFailures(self.stop_after_failures, expected)
        devices = devices_for(captioner, self.devices)
        if len(devices) == 1:
            captioner = on_device(captioner, devices[0])
        with ExitStack() as stack:
            start = time.monotonic()
            session = stack.enter_context(captioner.open(prompt)) if len(devices) < 2 else None
            verb = "judged" if are_questions else "captioned"
            display = stack.enter_context(progress(len(items), verb=verb))

            def record_and_advance(caption: Caption) -> None:
                record(caption)
                display.advance(caption)
                first_failures.count(caption)

            if isinstance(session, RemoteSession):
                usage = captioner.usage(prompt) if isinstance(captioner, Priced) else None
                threads = THREADS if self.decode_workers == "auto" else self.decode_workers
                pool = ThreadPoolExecutor(threads, "decode")
                stack.callback(pool.shutdown, wait=False, cancel_futures=True)
                cache = stack.enter_context(self._answer_cache())
                run = RemoteRun(
                    session,
                    self.requests.for_model(usage),
                    self.policy(usage, spent_usd),
                    cache,
                    book or Unwritten(),
                    record_and_advance,
                    pool,
                    display.wait,
                )
                run.caption_all(items)
                return
            if session is not None and isinstance(captioner, OnDevice):
                logger.info("loaded in %.1f s", time.monotonic() - start)
            batches = Batches(self.batch_size, self.decode_workers, self.decode_in)
            captions = (
                captions_of_devices(captioner, prompt, items, devices, batches)
                if session is None
                else batches.captions(session, items)
            )
            for batch in stack.enter_context(closing(captions)):
                for caption in batch:
                    record_and_advance(caption)

    @contextmanager
    def _answer_cache(self) -> Iterator[CarefulCache]:
        from evaluator.runner.answer_cache import CarefulCache, cache_path, careful_cache

        if self.cache == "off":
            yield CarefulCache(None)
        else:
            with careful_cache(cache_path()) as cache:
                yield cache

    def check(self, captioner: Captioner, prompt: Prompt) -> None:
        """Raises ConfigError for devices that the captioner cannot have, and a budget that cannot be kept."""
        devices_for(captioner, self.devices)
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
