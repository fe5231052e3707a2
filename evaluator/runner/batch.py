"""The runner for batch interfaces of providers: lower prices, and answers within a day.

evaluator run model=gemini data=coco runner=batch                      submits the requests
evaluator run model=gemini data=coco runner=batch                      later: collects the answers
evaluator run model=gemini data=coco runner=batch runner.wait=true     waits for them
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt

from evaluator.core import Caption, Captioner, Item, Priced, Prompt, RequestBook, Usage
from evaluator.core.batch_jobs import BatchLimits, BatchSession, JobBook, OffersBatches
from evaluator.core.errors import ConfigError
from evaluator.runner.default import DefaultRunner
from evaluator.runner.prices import Price, price_of
from evaluator.runner.request_options import RequestPolicy, request_policy


@dataclass(frozen=True)
class BatchRunner:
    """How requests are submitted as jobs. No option here changes a caption.

    `most_requests` and `most_megabytes` are those of one job; None: as many as the provider takes.
    """

    kind: ClassVar[str] = "batch"

    wait: bool = False
    poll_seconds: Annotated[float, Gt(0)] = 60.0
    most_requests: Annotated[int, Ge(1)] | None = None
    most_megabytes: Annotated[float, Gt(0)] | None = None
    lost_jobs: Literal["stop", "error"] = "stop"
    stop_after_failures: Annotated[int, Ge(1)] | None = 10
    decode_workers: Annotated[int, Ge(1)] = 2
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
        """Record what jobs have answered, and submit what no job has yet.

        Items whose job has not ended get no outcome: the next command collects them. A model on this machine,
        whose judge may be a remote one, captions as with runner=default.
        """
        if not isinstance(captioner, Priced):
            self.for_others.run(captioner, prompt, items, record, spent_usd, book)
            return
        from evaluator.runner.answer_cache import cache_for
        from evaluator.runner.batch_run import BatchRun
        from evaluator.runner.recording import recording

        limits, usage, items = self.limits(captioner), captioner.usage(prompt), list(items)
        if not isinstance(book, JobBook):
            raise ConfigError(
                "runner=batch keeps its jobs in a run folder, and this command has none. Type runner=default"
            )
        with ExitStack() as stack:
            session = stack.enter_context(captioner.open(prompt))
            assert isinstance(session, BatchSession)
            run = BatchRun(
                session,
                limits,
                self.policy(usage, spent_usd),
                stack.enter_context(cache_for(self.cache)),
                book,
                stack.enter_context(recording(items, record, self.stop_after_failures)),
                workers=self.decode_workers,
                poll_seconds=self.poll_seconds if self.wait else None,
                stops_at_lost_jobs=self.lost_jobs == "stop",
            )
            run.caption_all(items)

    @property
    def for_others(self) -> DefaultRunner:
        """The runner of models on this machine, and of captions in files."""
        return DefaultRunner(stop_after_failures=self.stop_after_failures)

    def limits(self, captioner: Captioner) -> BatchLimits:
        """The most that a job takes. Raises ConfigError for a captioner without a batch interface."""
        if not isinstance(captioner, OffersBatches):
            raise ConfigError(
                "runner=batch: this model has no batch interface. Gemini (through google-genai), OpenAI and "
                "Anthropic have one. Type runner=default"
            )
        most = captioner.batch_limits
        size = int(self.most_megabytes * 1e6) if self.most_megabytes else most.size
        return BatchLimits(min(self.most_requests or most.requests, most.requests), min(size, most.size))

    def check(self, captioner: Captioner, prompt: Prompt) -> None:
        """Raises ConfigError for a model without a batch interface, and a budget that cannot be kept."""
        if isinstance(captioner, Priced):
            self.limits(captioner)
            self.policy(captioner.usage(prompt), 0.0)
        else:
            self.for_others.check(captioner, prompt)

    def price(self, usage: Usage) -> Price | None:
        price = price_of(usage.model, usage.provider, self.prices)
        return price.in_batch() if price else None

    def policy(self, usage: Usage | None, spent_usd: float) -> RequestPolicy:
        """The policy for requests with these bounds. Raises ConfigError for a budget that cannot be kept."""
        return request_policy(usage, spent_usd, self.cache, self.budget_usd, self.prices, None, in_batch=True)
