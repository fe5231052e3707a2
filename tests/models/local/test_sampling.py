"""Samples of the demo models: each depends on its image, its draw and the seed, and on no other picture."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import pytest

from evaluator.config.run_config import run_configs
from evaluator.core import Caption
from evaluator.core.errors import ConfigError
from evaluator.runner.default import DefaultRunner

torch = pytest.importorskip("torch")

from evaluator.models.sampling import GumbelNoise  # noqa: E402


def captions(
    *options: str, batch_size: int = 32, draws: int = 1, decode_in: str = "threads"
) -> Mapping[str, str]:
    (config,) = run_configs(["model=tiny-git", "data=demo", *options])
    items = list(config.data.load())[:6]
    again = [replace(item, id=f"{item.id} #{draw}") for draw in range(draws) for item in items]
    found: list[Caption] = []
    runner = DefaultRunner(batch_size=batch_size, decode_in=decode_in)  # type: ignore[arg-type]
    runner.run(config.model, config.prompt, again, found.append)
    return {one.item_id: one.text or "" for one in found}


def test_a_sample_depends_on_its_image_and_seed_alone() -> None:
    sampled = captions("model.temperature=1", draws=2)
    assert captions("model.temperature=1", draws=2, batch_size=5, decode_in="processes") == sampled
    assert captions("model.temperature=1") == {
        key: text for key, text in sampled.items() if key.endswith("#0")
    }
    assert captions("model.temperature=1", "model.seed=7") != captions("model.temperature=1")
    firsts, seconds = ([text for key, text in sampled.items() if key.endswith(end)] for end in ("#0", "#1"))
    assert firsts != seconds


def test_a_low_temperature_or_top_p_gives_the_likeliest_caption() -> None:
    greedy = captions()
    assert captions("model.temperature=0.001") == greedy
    assert captions("model.temperature=1", "model.top_p=0.0001") == greedy
    assert captions("model.temperature=1") != greedy


def test_samples_have_the_probabilities_of_the_scores() -> None:
    """4,000 rows of one distribution: each share lies within four standard errors."""
    scores = torch.tensor([0.5, 0.3, 0.2, 0.0]).log().repeat(4000, 1)
    drawn = Counter(GumbelNoise(range(4000))(torch.empty(0), scores).argmax(dim=-1).tolist())
    for token, probability in enumerate([0.5, 0.3, 0.2]):
        error = (probability * (1 - probability) / 4000) ** 0.5
        assert abs(drawn[token] / 4000 - probability) < 4 * error
    assert drawn[3] == 0


def test_sampling_and_beam_search_contradict_each_other() -> None:
    with pytest.raises(ConfigError, match=r"model\.num_beams=3 searches .* Type model\.num_beams=1"):
        run_configs(["model=tiny-git", "model.temperature=1", "model.num_beams=3"])
