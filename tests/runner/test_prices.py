"""Costs by hand, model names as providers write them, a table whose every row says where it comes from."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from evaluator.core import Reply, Usage
from evaluator.core.errors import ConfigError
from evaluator.runner.prices import Price, price_of, price_table


def test_a_reply_by_hand() -> None:
    """1,000 tokens in, 400 of them cached, and 50 out at $2, $0.50 and $8 a million."""
    price = Price(input=2.0, output=8.0, cached=0.5)
    reply = Reply("a dog", input_tokens=1000, output_tokens=50, cached_input_tokens=400, reasoning_tokens=20)
    assert price.cost_usd(reply) == pytest.approx(0.0012 + 0.0002 + 0.0004)
    assert Price(2.0, 8.0).cost_usd(reply) == pytest.approx(0.002 + 0.0004)


def test_a_reply_that_does_not_say_what_it_took_has_no_known_cost() -> None:
    assert Price(2.0, 8.0).cost_usd(Reply("a dog", input_tokens=3)) is None


def test_bounds() -> None:
    assert Price(1.0, 10.0).bounds_usd(Usage("m", (100, 200), (10, 1000))) == pytest.approx((0.0002, 0.0102))


@pytest.mark.parametrize(
    ("model", "row"),
    [
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
        ("claude-opus-5-1", None),
        ("gpt-4o-audio", None),
        ("llava", None),
        ("", None),
    ],
)
def test_a_version_costs_what_its_model_costs_and_no_other_does(model: str, row: str | None) -> None:
    table = price_table()
    assert price_of(model, table) == (table[row] if row else None)


def test_every_row_says_when_and_where_it_was_read() -> None:
    for model, price in price_table().items():
        assert price.page.startswith("https://"), model
        assert datetime.date(2024, 1, 1) < datetime.date.fromisoformat(price.date), model
        assert 0 < price.input < price.output, model
        assert price.cached is not None, model
        assert price.cached < price.input, model


def test_a_file_of_ones_own_wins_row_by_row(tmp_path: Path) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text("gpt-4o: {input: 1, output: 2}\nllava: {input: 0, output: 0, date: 2026-01-31}\n")
    table = price_table(own)
    assert table["gpt-4o"] == Price(1.0, 2.0)
    assert table["llava"] == Price(0.0, 0.0, date="2026-01-31")
    assert table["gpt-4o-mini"] == price_table()["gpt-4o-mini"]


@pytest.mark.parametrize("content", ["- 3", "gpt-4o: 3", "gpt-4o: {input: cheap, output: 2}", "a: ["])
def test_a_file_in_another_form_is_named(content: str, tmp_path: Path) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text(content)
    with pytest.raises(ConfigError, match=r"prices: cannot read .*prices\.yaml.*gpt-4o-mini: \{input"):
        price_table(own)
