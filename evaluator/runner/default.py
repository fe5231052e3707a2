"""The runner: local models in batches, remote ones by many requests at once, whichever a captioner opens.

DefaultRunner(batch_size=8).run(captioner, prompt, items, record)
DefaultRunner(budget_usd=5.0, requests=Requests(in_flight=200)).run(captioner, prompt, items, record)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge

from evaluator.core import Caption, Captioner, Item, Priced, Prompt, RemoteSession, Usage
from evaluator.core.errors import ConfigError
from evaluator.runner.answer_cache import cache_path, response_cache
from evaluator.runner.local import caption_in_batches
from evaluator.runner.prices import price_of, price_table
from evaluator.runner.progress import progress
from evaluator.runner.remote import Requests, Terms, caption_remotely


@dataclass(frozen=True)
class DefaultRunner:
    """How captions are made, never what they say. A local model has no use for the cache and the money."""

    kind: ClassVar[str] = "default"

    batch_size: Annotated[int, Ge(1)] = 32
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
    ) -> None:
        """Caption every item once, each recorded as soon as it is there."""
        items = list(items)
        with ExitStack() as stack:
            session = stack.enter_context(captioner.open(prompt))
            advance = stack.enter_context(progress(len(items)))
            pool = ThreadPoolExecutor(self.decode_workers, "decode")
            stack.callback(pool.shutdown, wait=False, cancel_futures=True)

            def record_and_advance(caption: Caption) -> None:
                record(caption)
                advance(caption)

            if not isinstance(session, RemoteSession):
                caption_in_batches(session, items, record_and_advance, self.batch_size, pool)
                return
            usage = captioner.usage(prompt) if isinstance(captioner, Priced) else None
            terms = self.terms(usage, spent_usd)
            if self.cache != "off":
                terms = replace(terms, cache=stack.enter_context(response_cache(cache_path())))
            caption_remotely(session, items, record_and_advance, self.requests.of(usage), terms, pool)

    def terms(self, usage: Usage | None, spent_usd: float) -> Terms:
        """What the options mean for requests that take so much. Raises ConfigError for a budget that cannot
        be kept.
        """
        table = price_table(self.prices)
        if self.budget_usd is not None:
            if usage is None:
                raise ConfigError("budget_usd: the model does not say what a request may take. Leave it out")
            if price_of(usage.model, table) is None:
                raise ConfigError(
                    f"budget_usd: no price of {usage.model} is known. Give it in a file of your own: "
                    f"prices=FILE with the line {usage.model}: {{input: ..., output: ...}}, in US dollars a "
                    "million tokens"
                )
        return Terms(None, self.cache == "read", self.budget_usd, spent_usd, table, usage)
