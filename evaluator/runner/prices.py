"""What a reply costs: its tokens times the prices of its model.

The prices come from the installed package genai-prices: nothing is fetched. A file of the user's own wins,
model by model. If neither has a model, its cost is not known, which is not a cost of zero.

    >>> price = price_of("gpt-4o-mini-2024-07-18")
    >>> price.cost_usd(Reply("a dog", input_tokens=1_000_000, output_tokens=1_000_000))
    0.75
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar

from annotated_types import Ge, Le

from evaluator.core import Reply, Usage
from evaluator.core.errors import ConfigError

Entry = TypeVar("Entry")


class BatchShare(NamedTuple):
    """What a batch costs as a share of the ordinary price, and the page that says so."""

    tokens: float
    cached: float
    page: str


MILLION = 1_000_000
COUNTS = ("input_tokens", "output_tokens", "reasoning_tokens", "cached_input_tokens")
MOST_TOKENS = 10**9  # a larger number is a mistake or an attack
# Our names of providers, and genai-prices' names. The first three are also searched for a model at any other
# address, such as a proxy; OpenRouter's prices hold only there.
PROVIDERS = {"openai": "openai", "anthropic": "anthropic", "gemini": "google", "openrouter": "openrouter"}
ANYWHERE = ("openai", "anthropic", "google")
# How providers mark the version of a model: -2024-07-18, -20250929, -09-2025, -001.
# Where several discounts meet, these pages say: half of everything at OpenAI and Anthropic; at Google, tokens
# from its cache cost in a batch what they cost elsewhere.
BATCH_SHARES: Mapping[str, BatchShare] = {
    "openai": BatchShare(0.5, 0.5, "https://developers.openai.com/api/docs/guides/batch"),
    "anthropic": BatchShare(
        0.5, 0.5, "https://platform.claude.com/docs/en/build-with-claude/batch-processing"
    ),
    "google": BatchShare(0.5, 1.0, "https://ai.google.dev/gemini-api/docs/batch-api"),
}
VERSION = re.compile(r"-(latest|preview|\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{3,4})$")


def entry_for(model: str, table: Mapping[str, Entry]) -> Entry | None:
    """The entry for a model's full name, else for its name without the version; None where there is none.

    >>> entry_for("models/gemini-2.5-flash-preview-001", {"gemini-2.5-flash": 3})
    3
    """
    name = model.removeprefix("models/")
    while name not in table and (shorter := VERSION.sub("", name)) != name:
        name = shorter
    return table.get(name)


@dataclass(frozen=True)
class Price:
    """US dollars per million tokens, and per picture that is drawn.

    Without a price for cached input, that costs as much as other input.
    `batch` is the share of these prices that a request of a batch costs; None: as much as any request.
    """

    input: float
    output: float
    cached: float | None = None
    date: str = ""
    page: str = ""
    picture: float = 0.0
    batch: Annotated[float, Ge(0), Le(1)] | None = None
    batch_cached: Annotated[float, Ge(0), Le(1)] | None = None  # the same for cached input; None: `batch`
    batch_page: str = ""  # which says so

    def in_batch(self) -> Price:
        """The prices of requests that are part of a batch.

        >>> Price(1.0, 4.0, cached=0.25, batch=0.5).in_batch().cached
        0.125
        """
        if self.batch is None:
            return self
        of_cached = self.batch if self.batch_cached is None else self.batch_cached
        cached = None if self.cached is None else self.cached * of_cached
        half = f"{self.page or 'prices=FILE'}, times {self.batch:g} for a batch"
        page = f"{half}: {self.batch_page}" if self.batch_page else half
        return replace(
            self, input=self.input * self.batch, output=self.output * self.batch, cached=cached, page=page
        )

    def with_batch_share(self, share: BatchShare | None) -> Price:
        """The same with what its seller's page says about batches, where it says nothing itself."""
        if share is None or self.batch is not None:
            return self
        return replace(self, batch=share.tokens, batch_cached=share.cached, batch_page=share.page)

    def cost_usd(self, reply: Reply) -> float | None:
        """What the reply cost; None where the provider did not report its tokens, or not credibly.

        A picture that has a price of its own may come without tokens.
        """
        reply = credible(reply)
        picture_usd = self.picture if reply.picture else 0.0
        if reply.input_tokens is None or reply.output_tokens is None:
            return picture_usd or None
        cached = min(reply.cached_input_tokens or 0, reply.input_tokens)
        cached_price = self.input if self.cached is None else self.cached
        input_usd = (reply.input_tokens - cached) * self.input + cached * cached_price
        return (input_usd + reply.output_tokens * self.output) / MILLION + picture_usd

    def bounds_usd(self, usage: Usage) -> tuple[float, float]:
        """The least and the most that a request within `usage` costs, without cached input."""
        bounds = zip(usage.input_tokens, usage.output_tokens, strict=True)
        pictures_usd = usage.pictures * self.picture
        least, most = (
            (read * self.input + written * self.output) / MILLION + pictures_usd for read, written in bounds
        )
        return least, most


def credible(reply: Reply) -> Reply:
    """The reply without the numbers of tokens that no provider can mean.

    >>> credible(Reply("a dog", input_tokens=-5, output_tokens=10)).input_tokens is None
    True
    """
    wrong: dict[str, Any] = {name: None for name in COUNTS if not is_count(getattr(reply, name))}
    return replace(reply, **wrong) if wrong else reply


def is_count(value: object) -> bool:
    """Whether a number of tokens can be meant; None is one that is not known."""
    if value is None:
        return True
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS


def price_of(model: str, provider: str = "", own_file: Path | None = None) -> Price | None:
    """The price of a model at a provider (openai, anthropic, gemini, openrouter or the server's host name).

    None where no price is known. Raises ConfigError for a file in another form.
    """
    if not model:
        return None
    own = entry_for(model, own_prices(own_file)) if own_file else None
    if own is None:
        return listed_price(model, provider)
    return own.with_batch_share(BATCH_SHARES.get(PROVIDERS.get(provider, "")))


def own_prices(path: Path) -> dict[str, Price]:
    """A file of the user's own: prices by model name. Raises ConfigError for a file in another form.

    It is read again where it changed, or where the path is one of another working folder.
    """
    try:
        state = path.stat().st_mtime_ns
    except OSError:
        state = 0  # reading it says what is wrong
    return _own_prices(path.absolute(), state)


@cache
def _own_prices(path: Path, state: int) -> dict[str, Price]:
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


@cache
def listed_price(model: str, provider: str = "") -> Price | None:
    """The price in genai-prices, for prompts of usual length in the standard tier."""
    from genai_prices.data_snapshot import get_snapshot

    name = model.removeprefix("models/")
    for provider_id in (PROVIDERS[provider],) if provider in PROVIDERS else ANYWHERE:
        try:
            seller, entry = get_snapshot().find_provider_model(name, None, provider_id, None)
        except LookupError:
            continue
        prices = entry.get_prices(datetime.now(UTC))
        # The first of several tiers counts, since the others begin at 100,000 input tokens.
        tiers = (prices.input_mtok, prices.output_mtok, prices.cache_read_mtok)
        first: list[Any] = [getattr(price, "base", price) for price in tiers]
        input_usd, output_usd, cached = (None if price is None else float(price) for price in first)
        if input_usd is not None and output_usd is not None:
            page = next(iter(seller.pricing_urls or ()), "")
            price = Price(input_usd, output_usd, cached, str(table_date()), page)
            return price.with_batch_share(BATCH_SHARES.get(provider_id))
    return None


@cache
def table_date() -> date:
    """The latest price change in genai-prices, which does not say when it last checked each price."""
    from genai_prices.data_snapshot import get_snapshot
    from genai_prices.types import StartDateConstraint

    models = (model for provider in get_snapshot().providers for model in provider.models)
    changes = (
        price.constraint.start_date
        for model in models
        for price in (model.prices if isinstance(model.prices, list) else ())
        if isinstance(price.constraint, StartDateConstraint)
    )
    return max(day for day in changes if day <= datetime.now(UTC).date())
