"""What a reply costs: a table of prices, with the day and the page each comes from, and the tokens it took.

The table is prices.yaml beside this module; a file of the user's own in the same form wins, model by model.
A model that is in neither has no known cost, which is not the same as costing nothing.

    >>> price = price_of("gpt-4o-mini-2024-07-18", price_table())
    >>> price.cost_usd(Reply("a dog", input_tokens=1_000_000, output_tokens=1_000_000))
    0.75
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

from evaluator.core import Reply, Usage
from evaluator.core.errors import ConfigError

Row = TypeVar("Row")

TABLE = Path(__file__).with_name("prices.yaml")
MILLION = 1_000_000
# What a provider adds to a model's name for one of its versions: -2024-07-18, -20250929, -09-2025, -001.
VERSION = re.compile(r"-(latest|preview|\d{4}-\d{2}-\d{2}|\d{2}-\d{4}|\d{8}|\d{3,4})$")


@dataclass(frozen=True)
class Price:
    """US dollars a million tokens. Without a price for cached input, that costs what other input does."""

    input: float
    output: float
    cached: float | None = None
    date: str = ""
    page: str = ""

    def cost_usd(self, reply: Reply) -> float | None:
        """What the reply cost; None where it does not say what it took."""
        if reply.input_tokens is None or reply.output_tokens is None:
            return None
        cached = reply.cached_input_tokens or 0
        input_usd = (reply.input_tokens - cached) * self.input + cached * (
            self.input if self.cached is None else self.cached
        )
        return (input_usd + reply.output_tokens * self.output) / MILLION

    def bounds_usd(self, usage: Usage) -> tuple[float, float]:
        """The least and the most that a request within `usage` costs, nothing of it cached."""
        least, most = (
            (input_tokens * self.input + output_tokens * self.output) / MILLION
            for input_tokens, output_tokens in zip(usage.input_tokens, usage.output_tokens, strict=True)
        )
        return least, most


@cache
def price_table(own: Path | None = None) -> Mapping[str, Price]:
    """Prices by model name. Raises ConfigError for a file that is not in the form of prices.yaml."""
    return _read(TABLE) | (_read(own) if own else {})


def price_of(model: str, table: Mapping[str, Price]) -> Price | None:
    return row_of(model, table)


def row_of(model: str, table: Mapping[str, Row]) -> Row | None:
    """What a table says of a model as a provider names it: of the name itself, else without its version."""
    name = model.removeprefix("models/")
    while name not in table:
        shorter = VERSION.sub("", name)
        if shorter == name:
            return None
        name = shorter
    return table[name]


def _read(path: Path) -> dict[str, Price]:
    import yaml
    from pydantic import TypeAdapter, ValidationError

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
        found = {
            str(model): {option: str(value) if option == "date" else value for option, value in row.items()}
            for model, row in document.items()
        }
        return TypeAdapter(dict[str, Price]).validate_python(found)
    except (OSError, yaml.YAMLError, AttributeError, ValidationError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"prices: cannot read {path} ({reason}). A line of it reads: "
            "gpt-4o-mini: {input: 0.15, output: 0.60, cached: 0.075, date: 2026-01-31, page: 'https://...'}"
        ) from error
