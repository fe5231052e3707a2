"""How requests are sent to a remote model, and what they may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Gt

from evaluator.core import Reply, Usage
from evaluator.core.errors import ConfigError
from evaluator.runner.prices import Price, entry_for, price_of


@dataclass(frozen=True)
class ModelLimits:
    """Limits of one model, or of each model of one provider; None takes the general limit."""

    in_flight: Annotated[int, Ge(1)] | None = None
    per_minute: Annotated[float, Gt(0)] | None = None
    tokens_per_minute: Annotated[float, Gt(0)] | None = None


@dataclass(frozen=True)
class Requests:
    """How many requests, how fast, and how often one is repeated. No option here changes a caption.

    `limits` maps a model's name (without its version) or a provider's name to its own limits, so that each
    model of a sweep keeps its own.
    """

    in_flight: Annotated[int, Ge(1)] = 50
    per_minute: Annotated[float, Gt(0)] | None = None
    tokens_per_minute: Annotated[float, Gt(0)] | None = None
    limits: Mapping[str, ModelLimits] = field(default_factory=dict)
    attempts: Annotated[int, Ge(1)] = 8
    attempt_seconds: Annotated[float, Gt(0)] = 120.0
    deadline_seconds: Annotated[float, Gt(0)] = 600.0

    def for_model(self, usage: Usage | None) -> Requests:
        """The options for one model: each limit from its own entry, else its provider's, else the general.

        >>> own = {"openai": ModelLimits(per_minute=500), "gpt-4o": ModelLimits(tokens_per_minute=30_000)}
        >>> requests = Requests(limits=own).for_model(Usage("gpt-4o-2024-11-20", (1, 2), (1, 2), "openai"))
        >>> requests.in_flight, requests.per_minute, requests.tokens_per_minute
        (50, 500, 30000)
        """
        if usage is None:
            return self
        entries = (self.limits.get(usage.provider), entry_for(usage.model, self.limits))
        own = [asdict(entry) for entry in entries if entry]  # the model's own comes last, because it wins
        limits = {name: limit for entry in own for name, limit in entry.items() if limit is not None}
        return replace(self, **limits)


@dataclass(frozen=True)
class RequestPolicy:
    """Whether answers are taken from the cache, and what may be spent in one run."""

    read_cache: bool = True
    budget_usd: float | None = None
    spent_usd: float = 0.0
    prices: Path | None = None  # the user's own price file
    usage: Usage | None = None  # the bounds of one request, if the captioner gives them
    at_first: int | None = None  # the most requests in flight before the first caption
    in_batch: bool = False  # whether requests are part of a batch, which costs less

    def price_of(self, model: str) -> Price | None:
        """The price of a model, where it is known."""
        price = price_of(model, self.usage.provider if self.usage else "", self.prices)
        return price.in_batch() if price and self.in_batch else price

    def cost_usd(self, model: str, reply: Reply) -> float | None:
        """What a reply cost; None where the price of the model or the tokens are not known."""
        price = self.price_of(model)
        return price.cost_usd(reply) if price else None

    @property
    def most_usd(self) -> float:
        """The most that one request can cost; 0 where that is not known."""
        price = self.price_of(self.usage.model) if self.usage else None
        return price.bounds_usd(self.usage)[1] if price and self.usage else 0.0


def request_policy(
    usage: Usage | None,
    spent_usd: float,
    cache: str,
    budget_usd: float | None,
    prices: Path | None,
    at_first: int | None,
    in_batch: bool = False,
) -> RequestPolicy:
    """The policy for requests with these bounds. Raises ConfigError for a budget that cannot be kept."""
    if budget_usd is not None:
        if usage is None:
            raise ConfigError("budget_usd: the model does not give the bounds of a request. Leave it out")
        if price_of(usage.model, usage.provider, prices) is None:
            raise ConfigError(
                f"budget_usd: no price of {usage.model} is known. Type prices=FILE with a file that has "
                f"this line, in US dollars per million tokens: {usage.model}: {{input: ..., output: ...}}"
            )
    return RequestPolicy(cache == "read", budget_usd, spent_usd, prices, usage, at_first, in_batch)
