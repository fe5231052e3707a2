"""Costs by hand, model names as providers write them, and where prices come from."""

from __future__ import annotations

import datetime
import socket
from pathlib import Path

import pytest
import yaml

from evaluator.config.compose import CONF_DIR
from evaluator.core import Reply, Usage
from evaluator.core.errors import ConfigError
from evaluator.runner import prices
from evaluator.runner.prices import Price, price_of


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
    ("model", "same_as"),
    [
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("claude-haiku-4-5-20251001", "claude-haiku-4-5"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"),
        ("claude-opus-5-1", None),
        ("gpt-4o-audio", None),
        ("gpt-oss:20b", None),
        ("mistral-small3.1", None),
        ("llava", None),
        ("", None),
    ],
)
@pytest.mark.parametrize("provider", ["", "localhost"])
def test_a_version_costs_what_its_model_costs_and_no_other_does(
    model: str, same_as: str | None, provider: str
) -> None:
    expected = price_of(same_as) if same_as else None
    assert price_of(model, provider) == expected
    assert (expected is None) == (same_as is None)


# Read from the providers' pages by hand, in US dollars per million tokens: input, output, cached input.
# gemini-3.8-flash costs twice as much from 2027-01-01 on.
PUBLISHED = {
    "gemini-3.8-flash": (0.75, 3.75, 0.075),  # ai.google.dev/gemini-api/docs/pricing, 2026-10-07
    "gemini-3.5-flash-lite": (0.30, 2.50, 0.03),  # the same page, 2026-07-21
    "gpt-5.6-luna": (0.20, 1.20, 0.02),  # developers.openai.com/api/docs/pricing, 2026-07-30
    "claude-haiku-5-5": (0.10, 0.50, 0.01),  # platform.claude.com/docs/en/about-claude/pricing, 2026-10-10
    "claude-opus-5-5": (4.00, 20.00, 0.20),  # the same page and day
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_listed_prices_are_the_published_ones(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime.datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> datetime.datetime:
            return datetime.datetime(2026, 11, 1, tzinfo=tz)

    monkeypatch.setattr(prices, "datetime", Clock)
    price = prices.listed_price(model)
    assert price is not None
    assert (price.input, price.output, price.cached) == pytest.approx(PUBLISHED[model])


PRESETS = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (CONF_DIR / "model").glob("*.yaml")]
OF_PROVIDERS = {preset["model"] for preset in PRESETS if preset.get("key_variable")} - {"???"}


@pytest.mark.parametrize("model", sorted(OF_PROVIDERS))
def test_every_preset_of_a_provider_has_a_price_with_a_page_and_a_date(model: str) -> None:
    price = price_of(model)
    assert price is not None
    assert price.page.startswith("https://")
    assert datetime.date(2026, 1, 1) < datetime.date.fromisoformat(price.date) <= datetime.date.today()
    assert 0 < price.input < price.output
    assert price.cached is not None
    assert price.cached < price.input


def test_a_reseller_s_prices_hold_at_its_address_only() -> None:
    assert price_of("google/gemini-3.5-flash-lite", "openrouter") is not None
    assert price_of("google/gemini-3.5-flash-lite") is None


def test_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refused)
    assert prices.listed_price("gpt-4o-mini") is not None


def test_a_file_of_ones_own_wins_model_by_model(tmp_path: Path) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text("gpt-4o: {input: 1, output: 2}\nllava: {input: 0, output: 0, date: 2026-01-31}\n")
    found = price_of("gpt-4o-2024-11-20", "openai", own)
    assert found is not None
    assert (found.input, found.output, found.cached, found.page) == (1.0, 2.0, None, "")
    assert price_of("llava", "localhost", own) == Price(0.0, 0.0, date="2026-01-31")
    assert price_of("gpt-4o-mini", "openai", own) == price_of("gpt-4o-mini")


@pytest.mark.parametrize("content", ["- 3", "gpt-4o: 3", "gpt-4o: {input: cheap, output: 2}", "a: ["])
def test_a_file_in_another_form_is_named(content: str, tmp_path: Path) -> None:
    own = tmp_path / "prices.yaml"
    own.write_text(content)
    with pytest.raises(ConfigError, match=r"prices: cannot read .*prices\.yaml.*gpt-4o-mini: \{input"):
        price_of("gpt-4o", "openai", own)


def test_a_price_file_that_changed_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a notebook, which goes on for days and from folder to folder."""
    for folder, dollars in (("one", 1), ("two", 2)):
        (tmp_path / folder).mkdir()
        monkeypatch.chdir(tmp_path / folder)
        Path("prices.yaml").write_text(f"mine: {{input: {dollars}, output: 1, date: 2026-01-31}}\n")
        price = price_of("mine", own_file=Path("prices.yaml"))
        assert price
        assert price.input == dollars
