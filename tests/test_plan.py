"""A plan by hand, over any number of images and any limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from evaluator.config.run_config import RunConfig, run_configs
from evaluator.core import Caption, Outcome, Prompt, Reply, Usage, WeightsSize
from evaluator.models.weights import weights_size
from evaluator.plan import Likely, plan
from evaluator.runner.default import DefaultRunner
from evaluator.runner.request_options import ModelLimits, Requests
from evaluator.store.manifest import Manifest
from evaluator.store.run_folder import RunFolder


@dataclass(frozen=True)
class Priced:
    """A captioner that is asked for nothing but its usage."""

    model: str = "gpt-4o-mini"

    def check(self, prompt: Prompt, items: Any) -> list[str]:
        raise AssertionError("a plan needs no check")

    def open(self, prompt: Prompt) -> Any:
        raise AssertionError("a plan opens nothing")

    def usage(self, prompt: Prompt) -> Usage:
        return Usage(self.model, (1000, 2000), (10, 100))


def config(tmp_path: Path, requests: Requests | None = None, model: str = "gpt-4o-mini") -> RunConfig:
    (found,) = run_configs([f"runs={tmp_path}", "limit=100"])
    return replace(found, model=Priced(model), runner=DefaultRunner(requests=requests or Requests()))


def test_tokens_and_money_by_hand(tmp_path: Path) -> None:
    """$0.15 and $0.60 a million: (1000 x 0.15 + 10 x 0.6) x 100 / 10^6 and twice and ten times that."""
    found = plan(config(tmp_path))
    assert (found.images, found.already_captioned, found.is_local) == (100, 0, False)
    assert (found.input_tokens, found.output_tokens) == ((100_000, 200_000), (1_000, 10_000))
    assert found.cost_usd == pytest.approx((0.0156, 0.036))


@pytest.mark.parametrize(
    ("per_minute", "tokens_per_minute", "minutes"),
    [(None, None, None), (50, None, 2.0), (None, 21_000, 10.0), (50, 21_000, 10.0), (5, 21_000, 20.0)],
)
def test_the_limit_that_takes_longest(
    per_minute: float | None, tokens_per_minute: float | None, minutes: float | None, tmp_path: Path
) -> None:
    requests = Requests(per_minute=per_minute, tokens_per_minute=tokens_per_minute)
    assert plan(config(tmp_path, requests)).minutes == minutes


def test_a_model_s_own_limits_decide_its_minutes(tmp_path: Path) -> None:
    requests = Requests(per_minute=5, limits={"gpt-4o-mini": ModelLimits(per_minute=50)})
    assert plan(config(tmp_path, requests)).minutes == 2.0
    assert plan(config(tmp_path, requests, model="llava")).minutes == 20.0


def test_a_model_without_a_price(tmp_path: Path) -> None:
    found = plan(config(tmp_path, model="llava"))
    assert (found.cost_usd, found.price) == (None, None)
    assert found.input_tokens == (100_000, 200_000)


def test_what_is_there_or_final_is_left_out_and_failures_are_not(tmp_path: Path) -> None:
    asked = config(tmp_path)
    names = [item.id for item in asked.data.load()]
    outcomes = [Outcome.OK] * 10 + [Outcome.REFUSED] * 5 + [Outcome.ERROR] * 3
    folder = RunFolder(asked.folder)
    folder.begin(Manifest({"data": "demo", "model": "m", "prompt": "none"}, asked.identity, "d1"), {}, [])
    with folder.ledger() as ledger:
        for name, outcome in zip(names, outcomes, strict=False):
            ledger.record(Caption(name, outcome, Reply("a dog")))
    assert (plan(asked).images, plan(asked).already_captioned) == (85, 15)


def test_what_is_likely_lies_within_the_bounds(tmp_path: Path) -> None:
    """Half way between 1,000 and 2,000 tokens in, and 30 out: (1500 x 0.15 + 30 x 0.6) x 100 / 10^6."""
    found = plan(config(tmp_path))
    assert found.likely == Likely(1500, 30, pytest.approx(0.0243))
    assert found.past is None


def manifest_of(asked: RunConfig) -> Manifest:
    return Manifest({group: asked.choices[group] for group in asked.identity}, asked.identity, "d")


def test_the_answers_of_an_earlier_run_say_what_is_likely(tmp_path: Path) -> None:
    asked = config(tmp_path)
    earlier = RunFolder(tmp_path / "earlier")
    earlier.begin(manifest_of(asked), {}, [])
    with earlier.ledger() as ledger:
        for number, tokens in enumerate((10, 20)):
            reply = Reply("a dog", input_tokens=1100, output_tokens=tokens)
            ledger.record(Caption(str(number), Outcome.OK, reply, seconds=2.0, answered_at=2.0 + number))
    (tmp_path / "no run").mkdir()
    (tmp_path / "no run" / "captions.jsonl").write_text("what is this?")
    found = plan(asked)
    assert found.likely == Likely(1100, 15, pytest.approx((1100 * 0.15 + 15 * 0.6) * 100 / 1e6))
    assert found.past is not None
    assert (found.past.name, found.past.images_per_second) == ("earlier", pytest.approx(2 / 3))
    other = {**asked.identity, "prompt": {"name": "another"}}
    assert plan(replace(asked, identity=other)).past is None


def test_a_local_model_has_a_size_and_the_speed_of_its_last_run(tmp_path: Path) -> None:
    (asked,) = run_configs([f"runs={tmp_path}", "limit=100"])
    found = plan(asked)
    assert (found.minutes, found.likely) == (None, None)
    assert found.weights is not None
    assert (found.weights.to_download, found.weights.on_disk > 1_000_000) == (0, True)
    with RunFolder(tmp_path / "earlier").ledger() as ledger:
        ledger.record(Caption("1", Outcome.OK, Reply("a dog"), seconds=0.5))
    RunFolder(tmp_path / "earlier").begin(manifest_of(asked), {}, [])
    assert plan(asked).minutes == pytest.approx(100 / 2 / 60)


def test_a_checkpoint_that_is_not_here_must_be_downloaded() -> None:
    size = weights_size("microsoft/git-base-coco")
    assert size == WeightsSize(708_000_000, to_download=708_000_000)
    assert weights_size("somebody/unknown") is None
