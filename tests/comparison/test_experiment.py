"""A sweep read as an experiment: main effects, and who beats whom under how many conditions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluator.comparison.compare import compare
from evaluator.comparison.comparison import Comparison
from evaluator.comparison.experiment import contests, factors, main_effects
from tests.scored_runs import scored_run

HARD = np.random.default_rng(0).normal(1.0, 0.5, 100)
EFFECTS = {("a", "p"): 0.3, ("a", "q"): 0.2, ("b", "p"): 0.0, ("b", "q"): 0.2001, ("c", "q"): -0.4}


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    paths = []
    for (model, prompt), effect in EFFECTS.items():
        captions = {str(number): "a dog" for number in range(100)}
        scores = HARD - HARD.mean() + 1 + effect
        choices = {"data": "pets", "model": model, "prompt": prompt}
        path = tmp_path / f"{model}-{prompt}"
        paths.append(scored_run(path, captions, {"CIDEr": scores.tolist()}, choices=choices))
    return compare(paths)


def test_what_was_varied(comparison: Comparison) -> None:
    assert factors(comparison) == ["model", "prompt"]


def test_main_effects_are_means_from_the_mean_of_all(comparison: Comparison) -> None:
    found = {(one.factor, one.choice): one for one in main_effects(comparison, "CIDEr")}
    everything = 100 * (1 + np.mean(list(EFFECTS.values())))
    a = found["model", "a"]
    assert (a.mean, a.effect, a.runs) == (pytest.approx(125), pytest.approx(125 - everything), 2)
    assert [choice for factor, choice in found if factor == "model"] == ["a", "b", "c"]
    assert found["prompt", "q"].runs == 3


def test_who_beats_whom(comparison: Comparison) -> None:
    found = {(one.first, one.second): one for one in contests(comparison, "CIDEr") if one.factor == "model"}
    assert found["a", "b"].contests == 2
    assert (found["a", "b"].wins, found["a", "b"].significant_wins) == (1, 1)
    assert str(found["a", "b"]) == (
        "a beats b under 1 of 2 conditions, significantly under 1 (b significantly under 1)"
    )
    assert str(found["a", "c"]) == "a beats c under 1 of 1 condition, significantly under 1"
    assert ("b", "c") in found


def test_the_command_writes_it_down(tmp_path: Path, command: Callable[..., Any]) -> None:
    done = command(
        *("sweep", "model=tiny-git,tiny-blip", "prompt=none,photo", "limit=6"),
        *("scorer=[cider]", "sweep=mine"),
    )
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "runs" / "mine" / "experiment.md").read_text()
    assert "what each choice adds to the mean of all runs" in done.stdout
    assert all(line.removeprefix("- ") in done.stdout for line in written.splitlines()[-2:])
    assert "| factor | choice | mean CIDEr | effect | runs |" in written
    assert written.count("\n- ") == 2


@pytest.mark.parametrize(
    ("leads", "expected"),
    [
        ((0.0, 0.0, 0.0), "a and b are tied under 3 of 3 conditions"),
        ((0.0001, -0.0001, 0.0), "a and b are tied under 3 of 3 conditions"),
        ((0.2, 0.0, 0.0), "a beats b under 1 of 3 conditions, tied under 2, significantly under 1"),
        ((-0.2, 0.0, -0.2), "b beats a under 2 of 3 conditions, tied under 1, significantly under 2"),
    ],
)
def test_a_tie_is_no_win(tmp_path: Path, leads: tuple[float, ...], expected: str) -> None:
    paths = []
    for number, lead in enumerate(leads):
        for model, gain in (("a", lead), ("b", 0.0)):
            choices = {"data": "pets", "model": model, "prompt": f"p{number}"}
            captions = {str(image): "a dog" for image in range(100)}
            noise = np.random.default_rng(number).normal(0, 0.05, 100) if model == "a" else np.zeros(100)
            scores = {"CIDEr": (HARD + number / 10 + gain + noise - noise.mean()).tolist()}
            paths.append(scored_run(tmp_path / f"{model}{number}", captions, scores, choices=choices))
    (found,) = (one for one in contests(compare(paths), "CIDEr") if one.factor == "model")
    assert str(found) == expected


def test_one_run_is_not_an_experiment(comparison: Comparison, tmp_path: Path) -> None:
    assert factors(compare([tmp_path / "a-p"])) == []
