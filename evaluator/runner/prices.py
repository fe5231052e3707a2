"""What a reply costs: its tokens times the prices of its model.

The prices come from the installed package genai-prices: nothing is fetched. A file of the user's own wins,
model by model. If neither has a model, its cost is not known, which is not a cost of zero.

    >>> price = price_of("gpt-4o-mini-2024-07-18")
    >>> price.cost_usd(Reply("a dog", input_tokens=1_000_000, output_tokens=1_000_000))
    0.75
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from evaluator.core import Reply, Usage
from evaluator.core.errors import ConfigError
from evaluator.runner.model_names import entry_for

if TYPE_CHECKING:
    from decimal import Decimal

    from genai_prices.types import TieredPrices

MILLION = 1_000_000
# Our names of providers, and genai-prices' names. The first three are also searched for a model at any other
# address, such as a proxy; OpenRouter's prices hold only there.
PROVIDERS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google"}
RESELLERS = {"openrouter": "openrouter"}


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens. Without a price for cached input, that costs as much as other input."""

    input: float
    output: float
    cached: float | None = None
    date: str = ""
    page: str = ""

    def cost_usd(self, reply: Reply) -> float | None:
        """What the reply cost; None where the provider did not report its tokens."""
        if reply.input_tokens is None or reply.output_tokens is None:
            return None
        cached = reply.cached_input_tokens or 0
        input_usd = (reply.input_tokens - cached) * self.input + cached * (
            self.input if self.cached is None else self.cached
        )
        return (input_usd + reply.output_tokens * self.output) / MILLION

    def bounds_usd(self, usage: Usage) -> tuple[float, float]:
        """The least and the most that a request within `usage` costs, without cached input."""
        least, most = (
            (input_tokens * self.input + output_tokens * self.output) / MILLION
            for input_tokens, output_tokens in zip(usage.input_tokens, usage.output_tokens, strict=True)
        )
        return least, most


@cache
def price_of(model: str, provider: str = "", own_file: Path | None = None) -> Price | None:
    """The price of a model at a provider (openai, anthropic, gemini, openrouter or the server's host name).

    None where no price is known. Raises ConfigError for a file in another form.
    """
    if not model:
        return None
    own = entry_for(model, own_prices(own_file)) if own_file else None
    return own or listed_price(model, provider)


@cache
def own_prices(path: Path) -> dict[str, Price]:
    """A file of the user's own: prices by model name. Raises ConfigError for a file in another form."""
    import yaml
    from pydantic import TypeAdapter, ValidationError

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        rows = {
            str(model): {option: str(value) if option == "date" else value for option, value in row.items()}
            for model, row in document.items()
        }
        return TypeAdapter(dict[str, Price]).validate_python(rows)
    except (OSError, yaml.YAMLError, AttributeError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"prices: cannot read {path} ({reason}). Write one line per model: "
            "gpt-4o-mini: {input: 0.15, output: 0.60, cached: 0.075, date: 2026-01-31, page: 'https://...'}"
        ) from error


def listed_price(model: str, provider: str = "") -> Price | None:
    """The price in genai-prices, for prompts of usual length in the standard tier."""
    from genai_prices.data_snapshot import get_snapshot

    known = PROVIDERS | RESELLERS
    searched = [known[provider]] if provider in known else PROVIDERS.values()
    for provider_id in searched:
        try:
            found, entry = get_snapshot().find_provider_model(
                model.removeprefix("models/"), None, provider_id, None
            )
        except LookupError:
            continue
        prices = entry.get_prices(datetime.now(UTC))
        input_usd, output_usd = _base(prices.input_mtok), _base(prices.output_mtok)
        if input_usd is not None and output_usd is not None:
            page = next(iter(found.pricing_urls or ()), "")
            cached = _base(prices.cache_read_mtok)
            return Price(input_usd, output_usd, cached, table_date().isoformat(), page)
    return None


@cache
def table_date() -> date:
    """The latest price change that the installed genai-prices holds: prices are as new as that, or newer.

    The package does not say when each price was checked.
    """
    return max(day for day in _price_changes() if day <= datetime.now(UTC).date())


def _price_changes() -> Iterator[date]:
    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import StartDateConstraint

    for provider in get_snapshot().providers:
        for model in provider.models:
            for price in model.prices if isinstance(model.prices, list) else ():
                if isinstance(price.constraint, StartDateConstraint):
                    yield price.constraint.start_date


def _base(price: Decimal | TieredPrices | None) -> float | None:
    """The price as a number; the first of several tiers, since the others begin at 100,000 input tokens."""
    from genai_prices.types import TieredPrices

    if price is None:
        return None
    return float(price.base if isinstance(price, TieredPrices) else price)
