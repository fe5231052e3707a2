"""A sweep read as an experiment: main effects, and who beats whom under how many conditions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluator.comparison.compare import Comparison, compare
from evaluator.comparison.experiment import contests, factors, main_effects, markdown
from evaluator.core import Caption, Item, Measurement, Outcome, Reply, Results, Score
from evaluator.store.run_folder import RunFolder

HARD = np.random.default_rng(0).normal(1.0, 0.5, 100)
EFFECTS = {("a", "p"): 0.3, ("a", "q"): 0.2, ("b", "p"): 0.0, ("b", "q"): 0.2001, ("c", "q"): -0.4}


@pytest.fixture
def comparison(tmp_path: Path) -> Comparison:
    paths = []
    for (model, prompt), effect in EFFECTS.items():
        run = RunFolder(tmp_path / f"{model}-{prompt}")
        ids = [str(number) for number in range(100)]
        choices = {"data": "pets", "model": model, "prompt": prompt}
        run.begin(
            {"choices": choices, "identity": {}, "dataset_digest": "d"}, "{}", [Item(i, None) for i in ids]
        )
        captions = {item_id: Caption(item_id, Outcome.OK, Reply("a dog")) for item_id in ids}
        rows = np.column_stack([HARD - HARD.mean() + 1 + effect, np.ones(100)])
        measured = Measurement("CIDEr", rows, "mean", "CIDEr")
        results = Results(100, {"ok": 100}, (Score("CIDEr", measured.value, signature="CIDEr"),))
        run.write_results(results, captions, ids, [measured])
        paths.append(run.path)
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
    assert (found["a", "b"].wins, found["a", "b"].sure_wins) == (1, 1)
    assert str(found["a", "b"]) == (
        "a beats b under 1 of 2 conditions, beyond doubt under 1 (b beyond doubt under 1)"
    )
    assert str(found["a", "c"]) == "a beats c under 1 of 1 condition, beyond doubt under 1"
    assert ("b", "c") in found


def test_the_command_writes_it_down(tmp_path: Path, command: Callable[..., Any]) -> None:
    done = command(
        *("sweep", "model=tiny-git,tiny-blip", "prompt=none,photo", "limit=6"),
        *("scorer=[cider]", "sweep=mine"),
    )
    assert done.returncode == 0, done.stderr
    written = (tmp_path / "runs" / "mine" / "experiment.md").read_text()
    assert written in done.stdout
    assert "| factor | choice | mean CIDEr | effect | runs |" in written
    assert written.count("\n- ") == 2


def test_one_run_is_no_experiment(comparison: Comparison, tmp_path: Path) -> None:
    assert markdown(compare([tmp_path / "a-p"])) == ""
