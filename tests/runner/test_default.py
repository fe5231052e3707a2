"""The runner that everybody gets: its options as they are typed, and what they become."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.config import run_configs
from evaluator.core import Usage
from evaluator.errors import ConfigError
from evaluator.runner.default import DefaultRunner
from evaluator.runner.remote import Requests


def runner(*overrides: str) -> DefaultRunner:
    (config,) = run_configs(overrides)
    assert isinstance(config.runner, DefaultRunner)
    return config.runner


def test_what_is_not_typed_is_the_default() -> None:
    assert runner() == DefaultRunner()


def test_options_at_every_level() -> None:
    found = runner(
        *("runner.batch_size=8", "runner.requests.in_flight=200", "runner.requests.per_minute=600"),
        *("cache=refresh", "budget_usd=5", "prices=own.yaml"),
    )
    assert found == DefaultRunner(
        batch_size=8,
        requests=Requests(in_flight=200, per_minute=600),
        cache="refresh",
        budget_usd=5,
        prices=Path("own.yaml"),
    )


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("runner.requests.in_flight=0", "runner.requests.in_flight: 0: input should be greater"),
        ("runner.requests.in_flight=many", "runner.requests.in_flight: 'many': is not an integer"),
        ("+runner.requests.at_once=3", "runner.requests.at_once: there is no such option. It has in_flight"),
        ("cache=sometimes", "cache: 'sometimes': input should be 'off', 'read' or 'refresh'"),
        ("budget_usd=-1", "budget_usd: -1: input should be greater than or equal to 0"),
    ],
)
def test_what_is_typed_wrongly_is_named(typed: str, said: str) -> None:
    with pytest.raises(ConfigError) as raised:
        runner(typed)
    assert str(raised.value).startswith(said)


def test_runner_options_do_not_make_another_run() -> None:
    (plain,) = run_configs([])
    (other,) = run_configs(["runner.requests.in_flight=7", "cache=off", "budget_usd=1"])
    assert (plain.name, plain.identity) == (other.name, other.identity)


def test_a_budget_needs_bounds_and_a_price() -> None:
    asked = DefaultRunner(budget_usd=1.0)
    known, unknown = (Usage(model, (1, 2), (1, 2)) for model in ("gpt-4o-mini", "llava"))
    assert asked.terms(known, spent_usd=0.25).spent_usd == 0.25
    with pytest.raises(ConfigError, match="budget_usd: no price of llava is known"):
        asked.terms(unknown, 0.0)
    with pytest.raises(ConfigError, match="does not say what a request may take"):
        asked.terms(None, 0.0)
    assert DefaultRunner().terms(None, 0.0).usage is None
