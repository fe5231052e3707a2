"""The runner that everybody gets: its options as they are typed, and what they become."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluator.config.run_config import run_configs
from evaluator.core import Usage
from evaluator.core.errors import ConfigError
from evaluator.runner.default import DefaultRunner
from evaluator.runner.request_options import ModelLimits, Requests


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


def test_devices_in_every_form() -> None:
    assert runner("runner.devices=0,1").devices == "0,1"
    assert runner("runner.devices=cpu*2").devices == "cpu*2"
    assert runner("runner.devices=1").devices == "1"
    assert runner("runner.devices=[0,cpu]").devices == (0, "cpu")


def test_limits_of_single_models_and_providers() -> None:
    found = runner(
        "runner.requests.limits={gpt-4o-mini: {per_minute: 500, tokens_per_minute: 200000}, "
        "google/gemini-3.5-flash-lite: {in_flight: 4}}"
    )
    assert found.requests.limits == {
        "gpt-4o-mini": ModelLimits(per_minute=500, tokens_per_minute=200_000),
        "google/gemini-3.5-flash-lite": ModelLimits(in_flight=4),
    }


@pytest.mark.parametrize(
    ("model", "provider", "held"),
    [
        ("gpt-4o", "openai", (20, 100, 300)),  # its own, its provider's, everybody's
        ("gpt-4o-2024-11-20", "openai", (20, 100, 300)),  # a version is its model
        ("gpt-4o-mini", "openai", (20, 200, 300)),
        ("gpt-4o", "openrouter", (7, 100, 300)),
        ("llava", "localhost", (7, 8, 300)),
        ("llava", "", (7, 8, 300)),
    ],
)
def test_a_model_s_own_limit_wins_over_its_provider_s_and_both_over_the_plain_one(
    model: str, provider: str, held: tuple[int, float, float]
) -> None:
    own = {
        "gpt-4o": ModelLimits(per_minute=100),
        "openai": ModelLimits(in_flight=20, per_minute=200),
        "another-of-the-sweep": ModelLimits(in_flight=1),
    }
    requests = Requests(in_flight=7, per_minute=8, tokens_per_minute=300, limits=own)
    found = requests.for_model(Usage(model, (1, 2), (1, 2), provider))
    assert (found.in_flight, found.per_minute, found.tokens_per_minute) == held
    assert requests.for_model(None) == requests


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("runner.requests.in_flight=0", "runner.requests.in_flight: 0: input should be greater"),
        ("runner.requests.in_flight=many", "runner.requests.in_flight: 'many': is not an integer"),
        (
            "+runner.requests.at_once=3",
            "runner.requests.at_once: there is no such option. Options: in_flight",
        ),
        (
            "runner.requests.limits={openai: {per_minut: 3}}",
            "runner.requests.limits.openai.per_minut: there is no such option. Did you mean 'per_minute'?",
        ),
        (
            "runner.requests.limits={openai: {per_minute: 0}}",
            "runner.requests.limits.openai.per_minute: 0: input should be greater than 0",
        ),
        (
            "runner.requests.limits={openai: 500}",
            "runner.requests.limits.openai: 500: is not a mapping of options",
        ),
        ("runner.requests.limits=500", "runner.requests.limits: 500: "),
        ("cache=sometimes", "runner.cache: 'sometimes': input should be 'off', 'read' or 'refresh'"),
        ("budget_usd=-1", "runner.budget_usd: -1: input should be greater than or equal to 0"),
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
    assert asked.policy(known, spent_usd=0.25).spent_usd == 0.25
    with pytest.raises(ConfigError, match="budget_usd: no price of llava is known"):
        asked.policy(unknown, 0.0)
    with pytest.raises(ConfigError, match="does not give the bounds of a request"):
        asked.policy(None, 0.0)
    assert DefaultRunner().policy(None, 0.0).usage is None
