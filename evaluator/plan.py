"""What a run would take: images, tokens, money, minutes. Reads files, opens no model, sends nothing.

    for config in run_configs(["model=gemini", "data=coco"]):
        print(plan(config).cost_usd)

Money is a range: at least what the prompt and a short answer cost, at most that with every answer as long as
it may be. Captions that the run folder holds are left out; answers in the cache cost nothing and are not
looked for, since that would mean reading every picture.
"""

from __future__ import annotations

from dataclasses import dataclass

from evaluator.config.run_config import RunConfig
from evaluator.core import Priced
from evaluator.evaluate import select, without_final_outcome
from evaluator.runner.default import DefaultRunner
from evaluator.runner.prices import Price, price_of, price_table
from evaluator.runner.remote import Requests
from evaluator.store.run import read_attempts

Range = tuple[float, float]


@dataclass(frozen=True)
class Plan:
    """What is left of one run; ranges are (at least, at most), None is not known."""

    label: str
    images: int
    there: int
    is_local: bool
    input_tokens: Range | None = None
    output_tokens: Range | None = None
    price: Price | None = None
    cost_usd: Range | None = None
    requests: Requests | None = None  # as they are sent to this model
    minutes: float | None = None  # at their limits, the most tokens assumed


def plan(config: RunConfig) -> Plan:
    """What `evaluator run` of the same options would take from here."""
    items = select(config.data.load(), config.settings)
    images = len(without_final_outcome(items, read_attempts(config.folder).captions))
    label, there = config.choices["model"], len(items) - images
    if not isinstance(config.model, Priced):
        return Plan(label, images, there, is_local=True)
    usage = config.model.usage(config.prompt)
    price = price_of(usage.model, price_table(config.settings.prices))
    input_tokens, output_tokens = times(images, usage.input_tokens), times(images, usage.output_tokens)
    requests = config.runner.requests.of(usage) if isinstance(config.runner, DefaultRunner) else None
    return Plan(
        label,
        images,
        there,
        is_local=False,
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        price=price,
        cost_usd=times(images, price.bounds_usd(usage)) if price else None,
        requests=requests,
        minutes=minutes(requests, images, input_tokens[1] + output_tokens[1]) if requests else None,
    )


def minutes(requests: Requests, images: int, tokens: float) -> float | None:
    """How long the limits alone make it take; None where none is set."""
    taken = ((images, requests.per_minute), (tokens, requests.tokens_per_minute))
    return max((amount / limit for amount, limit in taken if limit), default=None)


def times(images: int, bounds: Range) -> Range:
    least, most = bounds
    return images * least, images * most
